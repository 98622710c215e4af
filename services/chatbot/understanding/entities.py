"""What a message names: orders, days, amounts of money, reasons, ways to reach somebody.

Which product of an order is meant depends on what else is in it: that is for `flows/naming.py`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from importlib import resources

import phonenumbers
from rapidfuzz.distance import DamerauLevenshtein

from rapport.events.orders import OrderUpdated
from services.chatbot.domain.reading import Entity
from services.chatbot.domain.understanding import plain_form
from services.chatbot.understanding.dates import named_days

# An order number as shops write them: letters at most in front, digits, dashes. Three digits alone may be a price.
_ORDER_NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.€$£¥-])#?([A-Za-z]{1,5}[-_]?\d{3,}(?:-\d+)*|\d{4,}(?:-\d+)*|#\d+)(?![A-Za-z0-9_])(?!\.\d)"
)
_AMOUNT = re.compile(
    r"(?P<sign>[€$£¥￥])\s?(?P<a>\d+(?:[.,]\d{1,2})?)"
    r"|(?P<b>\d+(?:[.,]\d{1,2})?)\s?"
    r"(?P<word>€|euros?|eur|dollars?|usd|pounds?|gbp|yuan|rmb|cny|元|块钱?|欧元?)(?![a-z])",
    re.IGNORECASE,
)
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
# One typing mistake in a number of at least this many characters; in shorter ones it is another order.
_TYPO_FROM = 6


class Entities:
    """Finds them, by exact forms and near likeness."""

    def __init__(self, reasons: Sequence[tuple[str, re.Pattern[str]]]) -> None:
        """`reasons`: code and the words for it, first match first."""
        self._reasons = reasons

    @classmethod
    def load(cls) -> Entities:
        read = tomllib.loads(resources.files(__package__).joinpath("reasons.toml").read_text(encoding="utf-8"))
        return cls([(code, re.compile("|".join(words))) for code, words in read.items()])

    def find(self, text: str, orders: Sequence[OrderUpdated], today: date) -> tuple[Entity, ...]:
        """Everything named in the normalised `text`. `orders`: the customer's own, to match numbers against."""
        found = [*_contacts(text), *_days(text, today), *_amounts(text)]
        taken = [(entity.start, entity.end) for entity in found]
        found += [number for number in _numbers(text, orders) if not _overlaps(number, taken)]
        return (*found, *self._why(text))

    def _why(self, text: str) -> Iterator[Entity]:
        plain = plain_form(text)
        for code, words in self._reasons:
            match = words.search(plain)
            if match:
                yield Entity("reason", code, match[0], match.start(), match.end())


def _numbers(text: str, orders: Sequence[OrderUpdated]) -> Iterator[Entity]:
    """Order numbers. An own order's, save for case, dashes or one mistyped character, becomes that order's id."""
    own = {_bare(order.order_id): order.order_id for order in orders}
    for match in _ORDER_NUMBER.finditer(text):
        said = match[0].lstrip("#")
        bare = _bare(said)
        exact = own.get(bare)
        near = None if exact or len(bare) < _TYPO_FROM else _only(_one_off(bare, own))
        value, probability = (exact, 1.0) if exact else (near, 0.8) if near else (said, 0.5)
        yield Entity("order_number", value, match[0], match.start(), match.end(), probability)


def _one_off(bare: str, own: dict[str, str]) -> Iterable[str]:
    return (id_ for known, id_ in own.items() if DamerauLevenshtein.distance(bare, known, score_cutoff=1) <= 1)


def _only(ids: Iterable[str]) -> str | None:
    listed = list(ids)
    return listed[0] if len(listed) == 1 else None


def _days(text: str, today: date) -> Iterator[Entity]:
    for named in named_days(text, today):
        yield Entity("date", named.day.isoformat(), text[named.start : named.end], named.start, named.end)


def _amounts(text: str) -> Iterator[Entity]:
    for match in _AMOUNT.finditer(text):
        value = (match["a"] or match["b"]).replace(",", ".")
        yield Entity("amount", value, match[0], match.start(), match.end())


def _contacts(text: str) -> Iterator[Entity]:
    for match in _MAIL.finditer(text):
        yield Entity("contact", match[0], match[0], match.start(), match.end())
    for number in phonenumbers.PhoneNumberMatcher(text, None):
        value = phonenumbers.format_number(number.number, phonenumbers.PhoneNumberFormat.E164)
        yield Entity("contact", value, number.raw_string, number.start, number.end)


def _bare(order_id: str) -> str:
    return re.sub(r"[\W_]", "", order_id).casefold()


def _overlaps(entity: Entity, taken: Sequence[tuple[int, int]]) -> bool:
    return any(entity.start < end and start < entity.end for start, end in taken)
