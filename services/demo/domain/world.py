"""What the simulation is told: the goods, the phrases and the types of shoppers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rapport.events.base import Event
from services.demo.domain.goods import Catalog

Phrasing = Mapping[str, tuple[str, ...]]
"""By language: several ways to say the same."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """What shoppers say."""

    questions: Mapping[str, Phrasing]
    """By topic of the article that answers."""
    chat: Mapping[str, Phrasing]
    """order_status, recommend, person, unanswerable, thanks."""
    gaps: Phrasing
    """Searches for what the shop does not sell."""
    reviews: Mapping[str, Mapping[str, Phrasing]]
    """By feeling (good, mixed, bad) and aspect."""
    coupons: tuple[str, ...]
    campaigns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShopperType:
    """A group of shoppers with like tastes. Hidden: no event names it."""

    name: str
    share: float
    price: float
    """How keen on a low price, 0 to 1."""
    kinds: Mapping[str, float]
    """Weights."""
    hours: tuple[float, ...]
    """How likely about at each hour of the day, relative, 24 of them."""


@dataclass(frozen=True, slots=True)
class World:
    catalog: Catalog
    phrases: Phrases
    types: tuple[ShopperType, ...]
    chinese: float
    """Share of shoppers who read Chinese."""
    devices: Mapping[str, float]
    """Shares."""

    def type_named(self, name: str) -> ShopperType:
        return next(kind for kind in self.types if kind.name == name)


@dataclass(frozen=True, slots=True)
class TimedEvent:
    """An event, when it happens and where it goes. `topic` is the registry's short name."""

    topic: str
    key: str
    event: Event
    time: datetime
    event_id: str
