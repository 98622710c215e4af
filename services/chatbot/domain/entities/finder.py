"""One look at a text for everything that it names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from rapport.events.orders import OrderUpdated
from rapport.text.normalise import normalise
from services.chatbot.domain.entities.amounts import amounts_in
from services.chatbot.domain.entities.dates import named_days
from services.chatbot.domain.entities.order_numbers import Mentions, mentions
from services.chatbot.domain.understanding import plain_form


@dataclass(frozen=True, slots=True)
class Entities:
    """Products are told apart only among those that can be meant: see `products.named`."""

    numbers: Mentions
    days: tuple[date, ...]
    """That have been."""
    amounts: tuple[Decimal, ...]
    reasons: tuple[str, ...]
    """Codes, as their words stand in the text."""


def find(
    text: str, orders: Sequence[OrderUpdated], reasons: Mapping[str, Sequence[re.Pattern[str]]], today: date
) -> Entities:
    """`orders`: the customer's own. `reasons`: the words for each code, on `plain_form`."""
    plain = normalise(text)
    return Entities(
        mentions(plain, orders),
        tuple(dict.fromkeys(named.day for named in named_days(plain, today))),
        amounts_in(plain),
        _reasons(plain_form(text), reasons),
    )


def _reasons(plain: str, reasons: Mapping[str, Sequence[re.Pattern[str]]]) -> tuple[str, ...]:
    places = {
        code: min((found.start() for word in words if (found := word.search(plain))), default=None)
        for code, words in reasons.items()
    }
    return tuple(sorted((code for code in places if places[code] is not None), key=lambda code: (places[code], code)))
