"""What a behaviour event says of products."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from rapport.events.base import Event
from rapport.events.behaviour import (
    ItemClicked,
    ItemsShown,
    OrderCompleted,
    OrderRefunded,
    ProductAdded,
    ProductClicked,
    ProductRemoved,
    ProductReviewed,
    ProductViewed,
    ProductWishlisted,
)

Kind = Literal["looked", "wanted", "bought", "praised", "dropped", "panned", "returned", "shown", "clicked"]

# How much one event says. For what is trending or popular: a purchase is rarer and means more than a look. Against a
# product: what is sent back outweighs the purchase that it undoes, what is taken out of a cart undoes putting it in.
WEIGHTS: dict[Kind, float] = {
    "looked": 1.0, "wanted": 2.0, "bought": 4.0, "praised": 1.0, "dropped": 1.0, "panned": 2.0, "returned": 4.0,
    "shown": 1.0, "clicked": 1.0,
}  # fmt: skip
# Stars from which a review speaks for a product, and down to which it speaks against it.
_PRAISE, _PANNED = 4.0, 2.0
# Products of one order that are counted as bought together. Orders of a wholesaler have hundreds of lines, which say
# little of each pair and would cost their square.
_ORDER_LINES = 12
# Products of one impression that are counted: an answer has at most a hundred.
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Look:
    """A customer and one product, or several bought together."""

    customer_id: str
    product_ids: tuple[str, ...]
    kind: Kind
    at_ms: int
    """Event time."""

    @property
    def weight(self) -> float:
        return WEIGHTS[self.kind]


def look_of(event: Event | None, customer_id: str, at_ms: int) -> Look | None:
    """None for events that say nothing of single products."""
    said = _said(event)
    return Look(customer_id, said[1], said[0], at_ms) if said else None


def _said(event: Event | None) -> tuple[Kind, tuple[str, ...]] | None:  # noqa: PLR0911 - one return an event
    match event:
        case ProductViewed() | ProductClicked():
            return "looked", (event.product_id,)
        case ProductAdded() | ProductWishlisted():
            return "wanted", (event.product_id,)
        case OrderCompleted():
            bought = tuple(dict.fromkeys(line.product_id for line in event.products))[:_ORDER_LINES]
            return "bought", bought
        case ProductRemoved():
            return "dropped", (event.product_id,)
        case OrderRefunded(products=products) if products:
            returned = tuple(dict.fromkeys(line.product_id for line in products))[:_ORDER_LINES]
            return "returned", returned
        case ProductReviewed(rating=float(rating)) if rating >= _PRAISE or rating <= _PANNED:
            return "praised" if rating >= _PRAISE else "panned", (event.product_id,)
        case ItemsShown():
            return "shown", event.product_ids[:_SHOWN]
        case ItemClicked():
            return "clicked", (event.product_id,)
        case _:
            return None


def shopper_number(customer_id: str) -> int:
    """48 bits that tell shoppers apart without naming them. Lua's numbers hold 53."""
    return int.from_bytes(hashlib.blake2b(customer_id.encode(), digest_size=6).digest())
