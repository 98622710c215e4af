"""Ranked items for a customer (recommendations.v1): the same object that the API answers."""

from __future__ import annotations

from typing import ClassVar, Literal

from rapport.events.base import Event, Id, Payload, Time

ReasonKind = Literal["need", "co_visited", "trending", "new_arrival", "similar", "popular"]
Strategy = Literal["personalised", "co_visited", "trending", "popular", "catalogue"]


class Reason(Payload):
    """Why an item is here. Always true."""

    kind: ReasonKind
    text: str
    subject: str = ""
    """What it points to: a need's label, a product id, a category."""
    weight: float = 0.0
    """Share of the score."""


class RankedItem(Payload):
    product_id: Id
    score: float
    reasons: tuple[Reason, ...] = ()
    """Heaviest first."""
    source_scores: dict[str, float] = {}


class RecommendationMade(Event):
    """What to show this customer now."""

    event_name: ClassVar[str] = "recommendation_made"
    recommendation_id: Id
    customer_id: Id
    items: tuple[RankedItem, ...]
    strategy: Strategy
    fallbacks: tuple[str, ...] = ()
    """Strategies tried before it, and why they gave nothing."""
    profile_revision: int = 0
    encoder: str | None = None
    created_at: Time
    expires_at: Time
    trigger_event_id: str | None = None
