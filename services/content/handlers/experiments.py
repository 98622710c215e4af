"""Experiments: who gets what, what came of it, and their end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from rapport.bus.messages import Message, Outgoing
from rapport.events.experiments import ExperimentChanged, ExperimentOutcome, ExperimentViewed
from rapport.ops.errors import InvalidRequest, StateConflict
from services.content.domain.audience import People
from services.content.domain.experiments.assignment import assign
from services.content.domain.experiments.board import Board, segment_of
from services.content.handlers.outgoing import experiment as experiment_message
from services.content.ports import Arms


@dataclass(frozen=True, slots=True)
class Assigned:
    experiment: ExperimentChanged
    variation_id: str
    in_experiment: bool
    share: float
    reason: Literal["hash", "sticky", "winner", "outside", "stopped"]


@dataclass(frozen=True, slots=True)
class ExperimentHandlers:
    board: Board
    people: People
    arms: Arms
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def assigned(self, tenant: str, experiment_id: str, customer_id: str) -> Assigned:
        """Raises `NotFound`, or `UnavailableError` while a bandit's memory cannot be read."""
        experiment = self.board.named(tenant, experiment_id)
        first = experiment.variations[0].variation_id
        if experiment.status == "finished" and experiment.winner is not None:
            return Assigned(experiment, experiment.winner, False, 1.0, "winner")
        if experiment.status != "running":
            return Assigned(experiment, first, False, 1.0, "stopped")
        segment = segment_of(experiment, self.people.segments_of(tenant, customer_id))
        weights = self.board.weights(tenant, experiment_id, segment)
        names = [variation.variation_id for variation in experiment.variations]
        chosen = assign(experiment, customer_id, weights)
        if chosen is None:
            return Assigned(experiment, first, False, 0.0, "outside")
        if experiment.plan.mode == "fixed":
            return Assigned(experiment, chosen, True, weights[names.index(chosen)], "hash")
        (kept,) = await self.arms.keep(tenant, {(experiment_id, customer_id): chosen})
        reason: Literal["hash", "sticky"] = "hash" if kept == chosen else "sticky"
        return Assigned(experiment, kept, True, weights[names.index(kept)], reason)

    def ended(
        self, tenant: str, experiment_id: str, winner: str, by: str, reason: str
    ) -> tuple[ExperimentChanged, Outgoing]:
        """Ends an experiment; with a winner everybody gets that. Raises `NotFound`, `InvalidRequest`,
        `StateConflict`.
        """
        experiment = self.board.named(tenant, experiment_id)
        if experiment.status != "running":
            raise StateConflict(f"already {experiment.status}", field="experiment_id")
        if not by.strip():
            raise InvalidRequest("who ends it must be named", field="by")
        known = [variation.variation_id for variation in experiment.variations]
        if winner and winner not in known:
            raise InvalidRequest(f"no variation {winner!r}", field="winner", fix=f"one of {', '.join(known)}")
        changed = experiment.model_copy(
            update={
                "status": "finished" if winner else "stopped", "winner": winner or None, "by": by,
                "reason": reason or None,                "ended_at": self.clock(),
            }
        )  # fmt: skip
        return changed, experiment_message(changed, tenant)

    def by_rule(self) -> list[Outgoing]:
        """Ends of those experiments whose plan lets the stopping rule declare the winner, and whose rule is met."""
        ends = []
        for tenant, experiment in self.board.running():
            if experiment.plan.promote != "rule":
                continue
            report = self.board.report(tenant, experiment.experiment_id)
            if report.decided:
                ends.append(self.ended(tenant, experiment.experiment_id, report.leader, "rule", report.verdict)[1])
        return ends

    async def on_experiments(self, messages: Sequence[Message]) -> None:
        """Follows experiments.v1."""
        for message in messages:
            if isinstance(message.event, ExperimentChanged):
                self.board.define(message.envelope.tenant, message.event)
            else:
                self.board.forget(message.envelope.tenant, message.key)

    async def on_exposures(self, messages: Sequence[Message]) -> None:
        """Follows exposures.v1: counts views, and gives bandits' customers back the variation that they had."""
        arms: dict[str, dict[tuple[str, str], str]] = {}
        for message in messages:
            event, tenant = message.event, message.envelope.tenant
            if not isinstance(event, ExperimentViewed):
                continue
            known = self.board.get(tenant, event.experiment_id)
            self.board.viewed(tenant, event if event.occurred_at else _at(event, message))
            if known is not None and known.status == "running" and known.plan.mode != "fixed":
                arms.setdefault(tenant, {})[event.experiment_id, event.customer_id] = event.variation_id
        for tenant, kept in arms.items():
            await self.arms.keep(tenant, kept)

    async def on_outcomes(self, messages: Sequence[Message]) -> None:
        """Follows outcomes.v1."""
        for message in messages:
            if isinstance(message.event, ExperimentOutcome):
                self.board.outcome(message.envelope.tenant, message.event)


def _at(event: ExperimentViewed, message: Message) -> ExperimentViewed:
    """An exposure that others wrote may leave its time to the envelope."""
    return event.model_copy(update={"occurred_at": message.envelope.time})
