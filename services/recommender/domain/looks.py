"""What a behaviour event says of products."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from rapport.events.base import Event
from rapport.events.behaviour import (
    OrderCompleted,
    ProductAdded,
    ProductClicked,
    ProductViewed,
    ProductWishlisted,
)

Kind = Literal["looked", "wanted", "bought"]

# How much one event says, for what is trending or popular: a purchase is rarer and means more than a look.
_WEIGHT: dict[Kind, float] = {"looked": 1.0, "wanted": 2.0, "bought": 4.0}
# Products of one order that are counted as bought together. Orders of a wholesaler have hundreds of lines, which say
# little of each pair and would cost their square.
_ORDER_LINES = 12


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
        return _WEIGHT[self.kind]


def look_of(event: Event | None, customer_id: str, at_ms: int) -> Look | None:
    """None for events that say nothing of single products."""
    match event:
        case ProductViewed() | ProductClicked():
            return Look(customer_id, (event.product_id,), "looked", at_ms)
        case ProductAdded() | ProductWishlisted():
            return Look(customer_id, (event.product_id,), "wanted", at_ms)
        case OrderCompleted():
            bought = tuple(dict.fromkeys(line.product_id for line in event.products))[:_ORDER_LINES]
            return Look(customer_id, bought, "bought", at_ms)
        case _:
            return None


def shopper_number(customer_id: str) -> int:
    """48 bits that tell shoppers apart without naming them. Lua's numbers hold 53."""
    return int.from_bytes(hashlib.blake2b(customer_id.encode(), digest_size=6).digest())
