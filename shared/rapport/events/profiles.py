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
    event_count: Annotated[int, Field(ge=0)]
    funnel_stage: Literal["browse", "consider", "cart", "checkout", "purchase"]
    session_count: Annotated[int, Field(ge=0)]
    """Of this customer, this one included."""


class Value(Payload):
    """Recency, frequency, monetary value."""

    last_order_at: Time | None = None
    order_count: Annotated[int, Field(ge=0)] = 0
    revenue: Amount | None = None
    currency: Currency | None = None
    """Of the revenue: the currency of the customer's first order; others are not added up."""


class Affinity(Payload):
    dimension: Literal["category", "brand", "price_band", "attribute"]
    value: str
    weight: Probability
    """Decayed; the weights of a dimension sum to 1."""


class Habits(Payload):
    """What a customer does again and again."""

    hours: dict[str, Probability] = {}
    """Share of each hour of the day, UTC, "0" to "23"; decayed."""
    devices: dict[str, Probability] = {}
    exits: dict[str, int] = {}
    """Sessions that are over, by the farthest funnel stage that each reached."""
    returns_rate: Probability | None = None
    """Pieces sent back of those ordered."""
    discount_sensitivity: Annotated[float, Field(ge=-1, le=1)] | None = None
    """Share of what is bought at a reduced price, less that of what is looked at."""
    late_events: Annotated[int, Field(ge=0)] = 0
    too_late_events: Annotated[int, Field(ge=0)] = 0
    """Later than the allowed lateness: they moved nothing else."""


class Sentiment(Payload):
    """Mean over recent reviews and chats."""

    score: Annotated[float, Field(ge=-1, le=1)]
    count: Annotated[int, Field(ge=1)]


class SegmentMembership(Payload):
    """The customer is in this segment."""

    segment_id: Id
    """Stays when segments are fitted again, and when their name is changed."""
    name: str
    family: Literal["taste", "type", "voice"]
    """taste: found by clustering interests; type: named by people, learned from labels; voice: named by people, told by
    what the customer writes."""
    confidence: Probability
    since: Time


class Propensity(Payload):
    """Calibrated probabilities of an order. None: not learned yet."""

    session: Probability | None = None
    """In the rest of this session."""
    week: Probability | None = None
    """Within seven days."""
    model: str | None = None
    """How much it has learned: sessions seen, as "session@1234"."""


class Outlook(Payload):
    """What is to be expected of a customer who has ordered: BG/NBD and Gamma-Gamma as of the newest event."""

    alive: Probability
    """P(still a customer)."""
    churn_risk: Probability
    """P(no order within the horizon)."""
    expected_orders: Annotated[float, Field(ge=0)]
    """Within the horizon."""
    expected_value: Annotated[float, Field(ge=0)]
    """Money within the horizon, in the currency of the profile's value."""
    horizon_days: Annotated[float, Field(gt=0)]
    model_version: str


class AspectSentiment(Payload):
    """What the customer said of one aspect of the shop."""

    aspect: str
    """delivery, price, quality, service, …"""
    score: Annotated[float, Field(ge=-1, le=1)]
    """Mean of the newest statements."""
    count: Annotated[int, Field(ge=1)]


class ProfileUpdated(Event):
    """The whole profile. Compacted: the newest message of a customer is the profile."""

    event_name: ClassVar[str] = "profile_updated"
    customer_id: Id
    revision: Annotated[int, Field(ge=1)]
    """Grows by one a change."""
    first_seen_at: Time
    last_seen_at: Time
    event_count: Annotated[int, Field(ge=0)]
    """0 of an id that is another customer's by now: the events are in that one's profile."""
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
    habits: Habits = Habits()
    merged_into: Id | None = None
    """This id is another customer's by now, whose profile has everything that was known under it."""
    merged_ids: tuple[Id, ...] = ()
    """Ids whose profiles are part of this one, newest first."""
    # Learned parts follow.
    # Learned parts: absent until there is a model, so that old messages read as before.
    segments: tuple[SegmentMembership, ...] = ()
    """At most one a family."""
    propensity: Propensity | None = None
    outlook: Outlook | None = None
    aspects: tuple[AspectSentiment, ...] = ()
    """Of what the customer spoke most often first."""


class SegmentChanged(Event):
    """A customer entered or left a segment."""

    event_name: ClassVar[str] = "segment_changed"
    customer_id: Id
    segment: str
    """Its name, for people and rules."""
    segment_id: Id | None = None
    """Stays when segments are fitted again, and when their name is changed."""
    family: Literal["taste", "type", "voice"] | None = None
    change: Literal["entered", "left"]
    reason: str
    confidence: Probability
    """entered: of belonging; left: of not belonging."""
    model_version: str | None = None


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
