"""Briefs (content.requests.v1), checked copy (content.published.v1), drafts that wait for a person."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints, model_validator

from rapport.events.base import Amount, Event, Id, Payload, Time
from rapport.events.catalog import Language
from rapport.events.experiments import ExperimentPlan

ContentKind = Literal["campaign", "product_description", "subject_line", "win_back", "back_in_stock", "recommendation"]
Channel = Literal["email", "sms", "push", "banner"]
Market = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
"""Whose rules apply: cn, eu, gb, us. Left out: the rules of all of them."""
Author = Literal["model", "template"]


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
    """The audience: one customer."""
    segment: str | None = None
    """The audience: who is in this segment."""
    audience_query: str | None = None
    """The audience: whose profile makes this CEL expression true, e.g. `order_count > 2 && language == "zh"`."""
    variants: Annotated[int, Field(ge=1, le=10)] = 1
    recommendation_id: Id | None = None
    market: Market | None = None
    prior_price: Amount | None = None
    """Lowest price of the last 30 days, where the market allows a price to be compared with that one only."""
    statements: tuple[Annotated[str, Field(min_length=1, max_length=300)], ...] = ()
    """Facts that the marketer vouches for ("Free shipping on every order"). Copy may say them word for word."""
    link: str | None = None
    """https address that the copy leads to; channels that need one refuse copy without."""
    personalise: tuple[str, ...] = ()
    """Names of profile fields that the copy may use, if the customer consented. Needs `customer_id`."""
    writer: Literal["auto", "template"] = "auto"
    """template: the language model is not asked."""
    approval: bool | None = None
    """Whether a person must approve. Left out: the service's setting."""
    experiment: ExperimentPlan | None = None
    """How the variants are tried against each other. Left out: they are not."""

    @model_validator(mode="after")
    def _period_in_order(self) -> ContentRequested:
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise ValueError("ends_at must lie after starts_at")
        if self.experiment is not None and self.variants < 2:
            raise ValueError("an experiment needs at least two variants")
        if self.personalise and self.customer_id is None:
            raise ValueError("personalise needs a customer_id")
        if sum(1 for audience in (self.customer_id, self.segment, self.audience_query) if audience) > 1:
            raise ValueError("give one audience: customer_id, segment or audience_query")
        return self


class Decision(Payload):
    """One try, kept whether it passed or not."""

    attempt: Annotated[int, Field(ge=1)]
    author: Author
    text: str
    accepted: bool
    problems: tuple[str, ...] = ()
    """In words."""
    codes: tuple[str, ...] = ()
    """The same by kind (price, claim, length …), for counting."""
    repaired: tuple[str, ...] = ()
    """What was mended in the text of the try before."""


class Turn(Payload):
    """One turn of what the language model is asked."""

    role: Literal["system", "user", "assistant"]
    content: str


class Variant(Payload):
    variant_id: Id
    text: str
    author: Author
    trail: tuple[Decision, ...]
    template_id: str | None = None
    template_version: int | None = None
    tone: str | None = None
    prompt_version: str | None = None
    fluency: float | None = None
    """0 to 1; see services/content/domain/quality.py."""
    difference: float | None = None
    """0 to 1: how far the nearest other variant is (1 shares no words)."""
    sms_segments: int | None = None
    words: str | None = None
    """The text without the link and the way out."""
    prompt: tuple[Turn, ...] = ()
    """What a language model is asked for the whole of it: with `words`, an example to learn from."""


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
    segment: str | None = None
    audience_query: str | None = None
    audience_size: Annotated[int, Field(ge=0)] | None = None
    """Customers in the audience when the copy was written."""
    market: Market | None = None
    experiment_id: Id | None = None
    approved_by: str | None = None


class ContentDrafted(Event):
    """Copy on its way past a person: pending, then approved (published) or rejected. Compacted by content id."""

    event_name: ClassVar[str] = "content_drafted"
    content_id: Id
    status: Literal["pending", "approved", "rejected"]
    content: ContentPublished
    experiment: ExperimentPlan | None = None
    by: str | None = None
    """Who decided."""
    reason: str | None = None
    decided_at: Time | None = None
    created_at: Time


class ConsentChanged(Event):
    """What a customer lets copy say of them. Compacted by customer; a null value withdraws everything."""

    event_name: ClassVar[str] = "consent_changed"
    customer_id: Id
    fields: tuple[str, ...] = ()
    """Names of the fields that copy may use: first_name, top_category, top_brand."""
    first_name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)] | None = None
    """As the shop writes it to the customer."""
