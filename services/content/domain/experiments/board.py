"""All experiments with their tallies, in memory: what experiments.v1, exposures.v1 and outcomes.v1 add up to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from rapport.events.experiments import ExperimentChanged, ExperimentOutcome, ExperimentViewed
from rapport.ops.errors import NotFound
from services.content.domain.experiments.report import Report, report_of, weights_of
from services.content.domain.experiments.tally import Tally

OTHER = "other"
"""Customers in none of a plan's segments."""


@dataclass(slots=True)
class _Entry:
    experiment: ExperimentChanged
    tally: Tally
    weights: dict[str | None, tuple[int, list[float]]] = field(default_factory=dict)
    """By segment: the number of events that they were computed from, and the weights."""
    events: int = 0


class Board:
    """Keyed by tenant and experiment. Exposures of an unknown experiment are kept out: its definition comes first."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], _Entry] = {}

    def define(self, tenant: str, experiment: ExperimentChanged) -> None:
        """A new experiment, or its newest state. The tally stays."""
        known = self._entries.get((tenant, experiment.experiment_id))
        tally = known.tally if known else Tally(_half_life(experiment))
        self._entries[tenant, experiment.experiment_id] = _Entry(experiment, tally)

    def forget(self, tenant: str, experiment_id: str) -> None:
        self._entries.pop((tenant, experiment_id), None)

    def viewed(self, tenant: str, event: ExperimentViewed) -> None:
        entry = self._entries.get((tenant, event.experiment_id))
        if entry is not None and event.occurred_at is not None and _knows(entry.experiment, event.variation_id):
            entry.tally.viewed(event.segment or OTHER, event.variation_id, event.occurred_at)
            entry.events += 1

    def outcome(self, tenant: str, event: ExperimentOutcome) -> None:
        entry = self._entries.get((tenant, event.experiment_id))
        if (
            entry is not None
            and event.metric == entry.experiment.plan.metric
            and _knows(entry.experiment, event.variation_id)
        ):
            value = float(event.value) if event.value is not None else 0.0
            entry.tally.succeeded(event.segment or OTHER, event.variation_id, event.viewed_at, value)
            entry.events += 1

    def get(self, tenant: str, experiment_id: str) -> ExperimentChanged | None:
        entry = self._entries.get((tenant, experiment_id))
        return entry.experiment if entry else None

    def named(self, tenant: str, experiment_id: str) -> ExperimentChanged:
        """Raises `NotFound`."""
        found = self.get(tenant, experiment_id)
        if found is None:
            raise NotFound(f"no experiment {experiment_id!r}", field="experiment_id")
        return found

    def of_tenant(self, tenant: str) -> list[ExperimentChanged]:
        """Newest first."""
        found = [entry.experiment for (owner, _), entry in self._entries.items() if owner == tenant]
        return sorted(found, key=lambda experiment: experiment.started_at, reverse=True)

    def running(self) -> Iterator[tuple[str, ExperimentChanged]]:
        for (tenant, _), entry in list(self._entries.items()):
            if entry.experiment.status == "running":
                yield tenant, entry.experiment

    def report(self, tenant: str, experiment_id: str) -> Report:
        """Raises `NotFound`."""
        self.named(tenant, experiment_id)
        entry = self._entries[tenant, experiment_id]
        return report_of(entry.experiment, entry.tally)

    def weights(self, tenant: str, experiment_id: str, segment: str | None) -> list[float]:
        """What new customers of `segment` get now; computed anew when events have come. Raises `NotFound`."""
        self.named(tenant, experiment_id)
        entry = self._entries[tenant, experiment_id]
        own = segment if entry.experiment.plan.mode == "contextual" else None
        known = entry.weights.get(own)
        if known is None or known[0] != entry.events:
            known = (entry.events, weights_of(entry.experiment, entry.tally, own))
            entry.weights[own] = known
        return known[1]

    def tally(self, tenant: str, experiment_id: str) -> Tally:
        """Raises `NotFound`."""
        self.named(tenant, experiment_id)
        return self._entries[tenant, experiment_id].tally


def segment_of(experiment: ExperimentChanged, segments: frozenset[str]) -> str | None:
    """The customer's segment for this experiment; None where it makes no difference."""
    if experiment.plan.mode != "contextual":
        return None
    return next((name for name in experiment.plan.segments if name in segments), OTHER)


def _half_life(experiment: ExperimentChanged) -> float | None:
    return None if experiment.plan.mode == "fixed" else experiment.plan.half_life_days


def _knows(experiment: ExperimentChanged, variation_id: str) -> bool:
    return any(variation.variation_id == variation_id for variation in experiment.variations)
