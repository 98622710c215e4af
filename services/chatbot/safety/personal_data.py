"""Personal data in what goes out: masked, unless the customer or the shop's own pages said it."""

from __future__ import annotations

import re

_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_CARD = re.compile(r"(?<![\d-])(?:\d[ -]?){12,18}\d(?![\d-])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,4})?\b")
_CHINESE_ID = re.compile(r"(?<!\d)\d{6}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?!\d)")
_PHONE = re.compile(
    r"(?<![\w-])(?:\+\d{1,3}[ -]?(?:\(?\d{1,4}\)?[ -]?){2,5}\d{2,4}|1[3-9]\d{9}|0\d{2,4}[ -/]\d{4,9})(?![\w-])"
)
MASK = "•••"


def masked(text: str, allowed: str) -> str:
    """`text` with e-mail addresses, card, account, identity and phone numbers masked that are not in `allowed`."""
    for pattern in (_EMAIL, _IBAN, _CHINESE_ID):
        text = pattern.sub(lambda found: found[0] if found[0] in allowed else MASK, text)
    text = _CARD.sub(lambda found: MASK if _luhn(found[0]) and found[0] not in allowed else found[0], text)
    return _PHONE.sub(lambda found: found[0] if found[0] in allowed else MASK, text)


def _luhn(number: str) -> bool:
    """ISO/IEC 7812: card numbers end in a check digit; order numbers of that length seldom fit it."""
    digits = [int(digit) for digit in reversed(number) if digit.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
