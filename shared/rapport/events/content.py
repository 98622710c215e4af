"""Briefs (content.requests.v1), checked copy (content.published.v1), exposures (exposures.v1)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from rapport.events.base import Event, Id, Payload, Time
from rapport.events.catalog import Language

ContentKind = Literal["campaign", "product_description", "subject_line", "win_back", "recommendation"]
Channel = Literal["email", "sms", "push", "banner"]


class ContentRequested(Event):
    """A brief."""

    event_name: ClassVar[str] = "content_requested"
    request_id: Id
    kind: ContentKind
    channel: Channel = "email"
    language: Language = "en"
    product_ids: tuple[Id, ...] = ()
    discount_percent: Annotated[Decimal, Field(gt=0, lt=100)] | None = None
    starts_at: Time | None = None
    ends_at: Time | None = None
    tone: str = "friendly"
    customer_id: Id | None = None
    segment: str | None = None
    variants: Annotated[int, Field(ge=1, le=10)] = 1
    recommendation_id: Id | None = None

    @model_validator(mode="after")
    def _period_in_order(self) -> ContentRequested:
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise ValueError("ends_at must lie after starts_at")
        return self


class Decision(Payload):
    """One try, kept whether it passed or not."""

    attempt: Annotated[int, Field(ge=1)]
    author: Literal["model", "template"]
    text: str
    accepted: bool
    problems: tuple[str, ...] = ()


class Variant(Payload):
    variant_id: Id
    text: str
    author: Literal["model", "template"]
    trail: tuple[Decision, ...]


class ContentPublished(Event):
    """Copy that passed every check, with the trail."""

    event_name: ClassVar[str] = "content_published"
    content_id: Id
    request_id: Id
    kind: ContentKind
    channel: Channel
    language: Language
    variants: Annotated[tuple[Variant, ...], Field(min_length=1)]
    product_ids: tuple[Id, ...] = ()
    customer_id: Id | None = None
    recommendation_id: Id | None = None
    model: str | None = None
    """id@revision; none: the template alone."""


class ExperimentViewed(Event):
    """Somebody saw a variation."""

    event_name: ClassVar[str] = "experiment_viewed"
    experiment_id: Id
    variation_id: Id
    customer_id: Id
