"""What people made of what they were shown, bought and sent back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import msgspec

# Products of one customer that reactions are kept for; older ones are forgotten first.
_KEPT = 200
# A product that was sent back, or reviewed badly, stays out for this long: tastes change, and so do products.
_REJECTED_MS = 90 * 86_400_000
# Impressions older than this say nothing of what the customer is tired of.
_TIRED_MS = 7 * 86_400_000


class Reaction(msgspec.Struct, array_like=True, frozen=True):
    """One customer's to one product."""

    shown: int = 0
    """Impressions since the last click."""
    shown_ms: int = 0
    """The last one."""
    rejected_ms: int = 0
    """Sent back or reviewed badly; 0: never."""


class Reactions(msgspec.Struct, array_like=True, frozen=True):
    """One customer's, by product, the oldest first."""

    products: dict[str, Reaction] = {}

    def encode(self) -> bytes:
        return _ENCODER.encode(self)

    @classmethod
    def decode(cls, data: bytes | None) -> Reactions:
        return _DECODER.decode(data) if data else NO_REACTIONS

    def rejected(self, product_id: str, now_ms: int) -> bool:
        """Whether the customer does not want to see it."""
        reaction = self.products.get(product_id)
        return reaction is not None and reaction.rejected_ms > now_ms - _REJECTED_MS

    def unclicked(self, product_id: str, now_ms: int) -> int:
        """How often it was shown lately without being clicked."""
        reaction = self.products.get(product_id)
        return reaction.shown if reaction and reaction.shown_ms > now_ms - _TIRED_MS else 0

    def shown(self, product_id: str, at_ms: int) -> Reactions:
        """After one more impression."""
        before = self.products.get(product_id, Reaction())
        fresh = before.shown_ms > at_ms - _TIRED_MS
        return self._with(product_id, Reaction(before.shown * fresh + 1, at_ms, before.rejected_ms))

    def clicked(self, product_id: str) -> Reactions:
        """After a click: nobody is tired of what they click."""
        before = self.products.get(product_id)
        return self._with(product_id, Reaction(0, 0, before.rejected_ms)) if before else self

    def refused(self, product_id: str, at_ms: int) -> Reactions:
        """After it was sent back or reviewed badly."""
        before = self.products.get(product_id, Reaction())
        return self._with(product_id, Reaction(before.shown, before.shown_ms, at_ms))

    def merged(self, other: Reactions) -> Reactions:
        """With those of the same person under another id."""
        if not other.products:
            return self
        products = dict(other.products)
        for product_id, own in self.products.items():
            theirs = products.pop(product_id, Reaction())
            products[product_id] = Reaction(
                own.shown + theirs.shown, max(own.shown_ms, theirs.shown_ms), max(own.rejected_ms, theirs.rejected_ms)
            )
        return Reactions(products)

    def _with(self, product_id: str, reaction: Reaction) -> Reactions:
        products = {**self.products}
        products.pop(product_id, None)
        products[product_id] = reaction
        for oldest in list(products)[: len(products) - _KEPT]:
            del products[oldest]
        return Reactions(products)


NO_REACTIONS = Reactions()
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Reactions)

# How many examined impressions the shop's mean is worth for a product of which little is known.
_PRIOR = 20.0


@dataclass(frozen=True, slots=True)
class ItemStatistics:
    """What all customers made of each product, faded: worth in events of just now."""

    examined: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Impressions, each by how likely its place is looked at."""
    clicked: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    refused: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Sent back, reviewed badly."""
    mean_rate: float = 0.0
    """Clicks of all products by examined impressions of all."""

    def click_rate(self, product_id: str) -> float:
        """Clicks by examined impression, drawn towards the shop's mean where little is known (empirical Bayes)."""
        clicked, examined = self.clicked.get(product_id, 0.0), self.examined.get(product_id, 0.0)
        return (clicked + _PRIOR * self.mean_rate) / (examined + _PRIOR)


NO_STATISTICS = ItemStatistics()

# Steepness of the look at lower places: 1/(1+place)^η, with η as Joachims, Swaminathan and Schnabel (2017) use for
# click logs of lists.
_PLACE_STEEPNESS = 1.0


def examination(place: int) -> float:
    """The probability that a place of a list (from 0) is looked at: 1 for the first."""
    return float(1.0 / (1.0 + place) ** _PLACE_STEEPNESS)
