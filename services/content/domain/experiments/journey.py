"""One customer's way through experiments: what they saw first, and whether a click or an order came of it in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel

from rapport.events.experiments import ExperimentChanged, ExperimentOutcome, ExperimentViewed, Metric


class Seen(BaseModel):
    """What a customer saw of one experiment. Kept until the window has passed."""

    variation_id: str
    at: datetime
    until: datetime
    segment: str | None = None
    done: tuple[Metric, ...] = ()
    """Outcomes that were counted."""
    viewed_as: str = ""
    """The id under which it was seen, if that was another: an anonymous one."""


class Happening(BaseModel):
    """A view, a click or an order, as far as experiments ask."""

    kind: Literal["shown", "clicked", "ordered"]
    at: datetime
    experiment_id: str = ""
    variation_id: str = ""
    product_ids: tuple[str, ...] = ()
    value: Decimal | None = None


class Journey(BaseModel):
    """All that a customer saw, by experiment. Small: experiments whose window has passed go."""

    seen: dict[str, Seen] = {}
    asked: tuple[str, ...] = ()
    """Anonymous ids of this customer whose journeys are awaited."""
    happened: tuple[Happening, ...] = ()
    """What is to be looked at again when they come; empty while none is awaited."""
    linked_to: str = ""
    """The customer whom this anonymous id belongs to; all that comes under it goes there."""
    linked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """The journey after an event, and what to publish for it."""

    journey: Journey
    events: Sequence[ExperimentViewed | ExperimentOutcome] = ()


def shown(
    journey: Journey,
    customer_id: str,
    experiment: ExperimentChanged,
    variation_id: str,
    at: datetime,
    segment: str | None,
) -> Step:
    """The first view in an experiment counts; a customer who then sees another variation stays with the first."""
    known = {variation.variation_id for variation in experiment.variations}
    if experiment.experiment_id in journey.seen or experiment.status != "running" or variation_id not in known:
        return Step(journey)
    until = at + timedelta(hours=experiment.plan.window_hours)
    seen = Seen(variation_id=variation_id, at=at, until=until, segment=segment)
    event = ExperimentViewed(
        experiment_id=experiment.experiment_id, variation_id=variation_id, customer_id=customer_id,
        content_id=experiment.content_id, segment=segment, occurred_at=at,
    )  # fmt: skip
    return Step(_with(journey, experiment.experiment_id, seen, at), (event,))


def clicked(journey: Journey, customer_id: str, experiment_id: str, variation_id: str, at: datetime) -> Step:
    """Counts for what the customer was assigned: a click on another variation's copy is no success of the first."""
    seen = journey.seen.get(experiment_id)
    if seen is None or seen.variation_id != variation_id:
        return Step(journey)
    return _outcome(journey, customer_id, experiment_id, "click", at, None)


def ordered(
    journey: Journey,
    customer_id: str,
    at: datetime,
    product_ids: frozenset[str],
    promoted: dict[str, frozenset[str]],
    value: Decimal | None,
) -> Step:
    """An order counts for every experiment that the customer saw within its window, if it holds a product of the copy.

    `promoted`: the products of each experiment's copy; none: any order counts.
    """
    events: list[ExperimentViewed | ExperimentOutcome] = []
    for experiment_id in list(journey.seen):
        wanted = promoted.get(experiment_id, frozenset())
        if not wanted or wanted & product_ids:
            step = _outcome(journey, customer_id, experiment_id, "order", at, value)
            journey, events = step.journey, [*events, *step.events]
    return Step(journey, tuple(events))


def _outcome(
    journey: Journey, customer_id: str, experiment_id: str, metric: Metric, at: datetime, value: Decimal | None
) -> Step:
    seen = journey.seen[experiment_id]
    if metric in seen.done or not seen.at <= at <= seen.until:
        return Step(journey)
    event = ExperimentOutcome(
        experiment_id=experiment_id, variation_id=seen.variation_id, customer_id=customer_id, metric=metric,
        segment=seen.segment, viewed_at=seen.at, viewed_as=seen.viewed_as or None, value=value, occurred_at=at,
    )  # fmt: skip
    changed = seen.model_copy(update={"done": (*seen.done, metric)})
    return Step(_with(journey, experiment_id, changed, at), (event,))


def _with(journey: Journey, experiment_id: str, seen: Seen, at: datetime) -> Journey:
    """`journey` with `seen`. What was over a day ago goes: events come late, and a view must not count twice
    meanwhile.
    """
    kept = {name: old for name, old in journey.seen.items() if old.until + timedelta(days=1) > at}
    return journey.model_copy(update={"seen": {**kept, experiment_id: seen}})
