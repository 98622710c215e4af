"""What the profiler says of a customer: profiles.v1, segments.v1, insights.v1."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from rapport.events.base import Amount, Currency, Event, Id, Payload, Probability, Time


class Need(Payload):
    """One interest. Its vector lies in Redis (kind `need`), in the order of this list."""

    label: str
    strength: Probability
    """All needs of a customer sum to 1."""
    half_life_hours: Annotated[float, Field(gt=0)]
    evidence: tuple[Id, ...]
    """Ids of the events behind it, newest first."""
    updated_at: Time


class Session(Payload):
    """Events with gaps of at most 30 minutes."""

    session_id: Id
    started_at: Time
    last_event_at: Time
    event_count: Annotated[int, Field(ge=1)]
    funnel_stage: Literal["browse", "consider", "cart", "checkout", "purchase"]
    session_count: Annotated[int, Field(ge=1)]
    """Of this customer, this one included."""


class Value(Payload):
    """Recency, frequency, monetary value."""

    last_order_at: Time | None = None
    order_count: Annotated[int, Field(ge=0)] = 0
    revenue: Amount | None = None
    currency: Currency | None = None
    """Of the revenue: the currency of the customer's first order; others are not added up."""


class Affinity(Payload):
    dimension: Literal["category", "brand", "price_band"]
    value: str
    weight: Probability
    """Decayed; the weights of a dimension sum to 1."""


class Sentiment(Payload):
    """Mean over recent reviews and chats."""

    score: Annotated[float, Field(ge=-1, le=1)]
    count: Annotated[int, Field(ge=1)]


class ProfileUpdated(Event):
    """The whole profile. Compacted: the newest message of a customer is the profile."""

    event_name: ClassVar[str] = "profile_updated"
    customer_id: Id
    revision: Annotated[int, Field(ge=1)]
    """Grows by one a change."""
    first_seen_at: Time
    last_seen_at: Time
    event_count: Annotated[int, Field(ge=1)]
    needs: tuple[Need, ...] = ()
    """Strongest first."""
    encoder: str | None = None
    """id@revision of the needs' vectors."""
    session: Session
    value: Value = Value()
    affinities: tuple[Affinity, ...] = ()
    language: str | None = None
    sentiment: Sentiment | None = None
    recent_product_ids: tuple[Id, ...] = ()
    """Newest first."""
    purchased_product_ids: tuple[Id, ...] = ()
    """Newest first."""
    trigger_event_id: str | None = None
    """The last event that this profile includes."""


class SegmentChanged(Event):
    """A customer entered or left a segment."""

    event_name: ClassVar[str] = "segment_changed"
    customer_id: Id
    segment: str
    change: Literal["entered", "left"]
    reason: str
    confidence: Probability


class InsightFound(Event):
    """A finding about demand, sentiment, gaps or drift."""

    event_name: ClassVar[str] = "insight_found"
    insight_id: Id
    subject: Id
    kind: str
    sentence: str
    """One plain sentence."""
    size: float
    confidence: Probability
    period_start: Time
    period_end: Time
    evidence: tuple[Id, ...] = ()
    data: dict[str, Any] = {}
