"""Experiments on copy (experiments.v1), who saw what (exposures.v1), and what came of it (outcomes.v1)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from rapport.events.base import Amount, Event, Id, Payload, Probability, Time

Metric = Literal["click", "order"]


class Namespace(Payload):
    """Customers are shared out among experiments of one name, so that nobody is in two. GrowthBook's `namespace`."""

    name: Annotated[str, Field(min_length=1)]
    start: Probability = 0.0
    end: Probability = 1.0


class ExperimentPlan(Payload):
    """How variants are tried against each other."""

    mode: Literal["fixed", "bandit", "contextual"] = "fixed"
    """fixed: weights stay, intervals decide. bandit: weights follow the outcomes. contextual: by segment."""
    metric: Metric = "click"
    window_hours: Annotated[float, Field(gt=0, le=24 * 90)] = 72
    """An outcome counts so long after the customer first saw the copy."""
    weights: tuple[Probability, ...] = ()
    """Of a fixed test, in the order of the variants. Left out: equal."""
    coverage: Probability = 1.0
    """Share of customers who take part."""
    namespace: Namespace | None = None
    floor: Annotated[float, Field(ge=0, le=0.5)] = 0.05
    """A bandit gives no variant less than this share."""
    half_life_days: Annotated[float, Field(gt=0)] | None = 14.0
    """A bandit forgets outcomes at this rate, so that it follows a change. None: never."""
    min_customers: Annotated[int, Field(ge=1)] = 100
    """Fewest customers a variant must have had before a rule decides."""
    confidence: Annotated[float, Field(ge=0.5, lt=1)] = 0.95
    promote: Literal["rule", "person"] = "person"
    """Who declares the winner."""
    segments: tuple[str, ...] = ()
    """Of a contextual bandit: a customer belongs to the first of these that they are in, otherwise to "other"."""

    @model_validator(mode="after")
    def _weights_add_up(self) -> ExperimentPlan:
        if self.weights and abs(sum(self.weights) - 1) > 1e-6:
            raise ValueError("weights must add up to 1")
        return self


class VariationInfo(Payload):
    """What is tried: how the text came about, so that outcomes rank templates, tones and prompts."""

    variation_id: Id
    author: Literal["model", "template"]
    template_id: str | None = None
    template_version: int | None = None
    tone: str | None = None
    prompt_version: str | None = None


class ExperimentChanged(Event):
    """An experiment as it is now, whole. Compacted by experiment id."""

    event_name: ClassVar[str] = "experiment_changed"
    experiment_id: Id
    content_id: Id
    plan: ExperimentPlan
    variations: Annotated[tuple[VariationInfo, ...], Field(min_length=2)]
    status: Literal["running", "finished", "stopped"] = "running"
    winner: Id | None = None
    by: str | None = None
    """Who ended it: a person's name, or the rule."""
    reason: str | None = None
    started_at: Time
    ended_at: Time | None = None
    kind: str = ""
    channel: str = ""
    language: str = ""
    product_ids: tuple[Id, ...] = ()

    @model_validator(mode="after")
    def _weights_fit(self) -> ExperimentChanged:
        if self.plan.weights and len(self.plan.weights) != len(self.variations):
            raise ValueError("as many weights as variations are needed")
        return self


class ExperimentViewed(Event):
    """Somebody saw a variation. Written once a customer and experiment: what they saw first counts."""

    event_name: ClassVar[str] = "experiment_viewed"
    experiment_id: Id
    variation_id: Id
    customer_id: Id
    content_id: Id | None = None
    segment: str | None = None
    """The customer's segment then, for contextual experiments."""


class ExperimentOutcome(Event):
    """What came of a view within the experiment's window. Written once a customer, experiment and metric."""

    event_name: ClassVar[str] = "experiment_outcome"
    experiment_id: Id
    variation_id: Id
    customer_id: Id
    metric: Metric
    segment: str | None = None
    viewed_at: Time
    viewed_as: Id | None = None
    """The id under which it was seen, where that was another: an anonymous one, before `identify`."""
    value: Amount | None = None
    """Of the order."""
