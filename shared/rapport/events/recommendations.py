"""Ranked items for a customer (recommendations.v1): the same object that the API answers."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from rapport.events.base import Event, Id, Payload, Time

ReasonKind = Literal[
    "need", "co_visited", "trending", "new_arrival", "similar", "popular",
    "graph", "wish", "promoted", "factors", "item_item", "sequence",
]  # fmt: skip
Strategy = Literal["personalised", "co_visited", "graph", "trending", "popular", "catalogue"]


class Reason(Payload):
    """Why an item is here. Always true."""

    kind: ReasonKind
    text: str
    subject: str = ""
    """What it points to: a need's label, a product id, a category."""
    path: tuple[str, ...] = ()
    """Through the product graph, from a product that the customer looked at: "p:…", "brand:…", "category:…", "p:…"."""
    weight: float = 0.0
    """Share of the score."""


class RankedItem(Payload):
    product_id: Id
    score: float
    reasons: tuple[Reason, ...] = ()
    """Heaviest first."""
    source_scores: dict[str, float] = {}
    propensity: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Probability that this item stood at this place; below 1 where the answer explores."""


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
    ranker: str = ""
    """Which model put the items in order, name@version; empty: fixed weights."""
    experiment_id: str = ""
    variation_id: str = ""
    """Set when the answer is part of an experiment."""


class ImpressionRecorded(Event):
    """Items of one answer were seen: with all that was known when the answer was made, so that a model is trained on
    what it would have seen (point-in-time correct). Lists go by place in the answer."""

    event_name: ClassVar[str] = "impression_recorded"
    recommendation_id: Id
    customer_id: Id
    shown_at: Time
    made_at: Time
    source: Literal["push", "pull"]
    strategy: Strategy
    ranker: str = ""
    experiment_id: str = ""
    variation_id: str = ""
    product_ids: tuple[Id, ...]
    """Those that were seen."""
    positions: tuple[Annotated[int, Field(ge=0)], ...]
    """The place of each in the answer, from 0."""
    scores: tuple[float, ...]
    propensities: tuple[float, ...]
    shadow_scores: dict[str, tuple[float, ...]] = {}
    """By model that was scored beside, without being shown."""
    feature_version: int
    features: str
    """Base64 of the packed float32 matrix [items, features] (`rapport.vectors.packing`)."""
