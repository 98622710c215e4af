"""Amounts of money in a text, and the most that somebody wants to pay."""

from __future__ import annotations

import re
from decimal import Decimal

_NUMBER = r"\d+(?:[.,]\d{1,2})?"
_WORD = r"(?:€|euros?|eur|dollars?|usd|pounds?|gbp|yuan|rmb|cny|元|块钱?|欧元?)(?![a-z])"
_AMOUNT = re.compile(rf"[€$£¥]\s?(?P<before>{_NUMBER})(?![\d.,]*\d)|(?P<after>{_NUMBER})\s?{_WORD}", re.IGNORECASE)
_LIMIT = re.compile(
    rf"(?:under|below|less than|cheaper than|up to|max(?:imum)?|低于|不超过|少于)\s*[€$£¥]?\s*(?P<en>{_NUMBER})"
    rf"(?:\s?{_WORD})?|"
    rf"(?P<zh>{_NUMBER})\s*(?:{_WORD})?(?:以下|以内|之内)",
    re.IGNORECASE,
)


def amounts_in(text: str) -> tuple[Decimal, ...]:
    """As they stand in the text; which currency is the order's business."""
    return tuple(_value(found["before"] or found["after"]) for found in _AMOUNT.finditer(text))


def limit_in(text: str) -> Decimal | None:
    """The price not to exceed."""
    found = _LIMIT.search(text)
    return _value(found["en"] or found["zh"]) if found else None


def without_limit(text: str) -> str:
    return _LIMIT.sub(" ", text)


def _value(digits: str) -> Decimal:
    return Decimal(digits.replace(",", "."))
