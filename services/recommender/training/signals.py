"""What behaviour events say of a customer's taste, as weights: what the models learn from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from rapport.events.base import Event
from rapport.events.behaviour import (
    Identify,
    ItemClicked,
    OrderCompleted,
    OrderRefunded,
    ProductAdded,
    ProductClicked,
    ProductRemoved,
    ProductReviewed,
    ProductViewed,
    ProductWishlisted,
)
from services.recommender.evaluation.histories import Histories, Interaction, histories

# A purchase is rarer and means more than a look; what is sent back or reviewed badly takes away what buying it gave.
WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "product_viewed": 1.0,
        "product_clicked": 1.0,
        "item_clicked": 1.0,
        "product_added": 2.0,
        "product_wishlisted": 2.0,
        "product_removed": -2.0,
        "order_completed": 4.0,
        "order_refunded": -8.0,
        "liked": 2.0,
        "disliked": -8.0,
    }
)
# Stars, of five: a review of three says neither.
_LIKED, _DISLIKED = 4.0, 2.0


@dataclass(frozen=True, slots=True)
class Signal:
    """One customer's to one product. `kind`: a key of `WEIGHTS`."""

    tenant: str
    customer_id: str
    product_id: str
    kind: str
    at_ms: int

    @property
    def weight(self) -> float:
        return WEIGHTS[self.kind]


def signals(event: Event | None, tenant: str, customer_id: str, at_ms: int) -> Iterator[Signal]:
    """Nothing for events that say nothing of single products."""
    match event:
        case ProductReviewed():
            kind = _stars(event.rating)
            products: Sequence[str] = (event.product_id,) if kind else ()
        case OrderCompleted() | OrderRefunded():
            kind = event.event_name
            products = tuple(dict.fromkeys(line.product_id for line in event.products))
        case (
            ProductViewed() | ProductClicked() | ItemClicked() | ProductAdded() | ProductWishlisted() | ProductRemoved()
        ):
            kind, products = event.event_name, (event.product_id,)
        case _:
            return
    for product_id in products:
        yield Signal(tenant, customer_id, product_id, kind, at_ms)


def alias(event: Event | None) -> tuple[str, str] | None:
    """The anonymous id and the customer that it turned out to be."""
    if isinstance(event, Identify) and event.customer_id and event.anonymous_id:
        return event.anonymous_id, event.customer_id
    return None


def histories_of(found: Iterable[Signal], aliases: Mapping[str, str], fewest: int = 1) -> Histories:
    """Histories of what customers liked: the same customer under one name, products that came to nothing (sent back,
    reviewed badly, taken out of the cart) left out, a product looked at several times in a row once, and products with
    fewer than `fewest` interactions left out, of which nothing can be learned."""
    whole = histories(
        Interaction(aliases.get(one.customer_id, one.customer_id), one.product_id, one.at_ms, one.weight)
        for one in found
    )
    pairs = whole.owner().astype(np.int64) * max(1, len(whole.items)) + whole.item
    _, place = np.unique(pairs, return_inverse=True)
    net = np.bincount(place, weights=whole.weight)[place] if len(whole) else np.empty(0)
    liked = whole.where((net > 0) & (whole.weight > 0))
    again = np.zeros(len(liked), dtype=np.bool_)
    owner = liked.owner()
    again[1:] = (liked.item[1:] == liked.item[:-1]) & (owner[1:] == owner[:-1])
    once = liked.where(~again)
    return once.where(once.popularity()[once.item] >= fewest)


def _stars(rating: float | None) -> str:
    if rating is None:
        return ""
    return "liked" if rating >= _LIKED else "disliked" if rating <= _DISLIKED else ""
