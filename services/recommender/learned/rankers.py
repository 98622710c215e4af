"""Which ranker serves whom: what is promoted, what is scored in the shadow, what an experiment says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from rapport.models.registry import Registry
from rapport.models.versions import Version
from services.recommender.domain.ranking import Assignment, Ranker
from services.recommender.learned.names import RANKER, of_tenant
from services.recommender.learned.ranker import load
from services.recommender.learned.trials import FILE, PROMOTED, Trial, read


@dataclass(frozen=True, slots=True)
class _Running:
    """A trial, and the rankers that it names, by version."""

    trial: Trial
    rankers: Mapping[str, Ranker]


class PromotedRankers:
    """`Rankers` of the domain, by what is promoted for each tenant."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._promoted: dict[str, Ranker] = {}
        self._running: dict[str, _Running] = {}

    async def use(self, tenant: str, version: Version | None) -> None:
        """Takes a promoted version over; None: back to fixed weights. Raises `ModelError`; then the old one stays."""
        if version is None:
            self._promoted.pop(tenant, None)
        else:
            self._promoted[tenant] = await asyncio.to_thread(load, version, tenant)

    async def begin(self, tenant: str, version: Version | None) -> None:
        """Begins a trial in place of the one before; None: ends it. Raises `InvalidRequest` when it is malformed,
        `NotFound` or `ModelError` when a ranker that it names cannot be had; then the old one goes on."""
        if version is None:
            self._running.pop(tenant, None)
        else:
            self._running[tenant] = await asyncio.to_thread(self._prepared, tenant, version)

    def of(self, tenant: str, customer_id: str) -> Assignment:
        """Steady for a customer for as long as the experiment runs."""
        promoted, running = self._promoted.get(tenant), self._running.get(tenant, _NOTHING_TRIED)
        experiment = running.trial.experiment
        arm = experiment.arm_of(customer_id) if experiment else None
        shown = promoted if arm is None or arm.ranker == PROMOTED else running.rankers.get(arm.ranker)
        beside = (running.rankers[version] for version in running.trial.shadow)
        shadow = tuple(ranker for ranker in beside if shown is None or ranker.name != shown.name)
        if experiment is None or arm is None:
            return Assignment(shown, shadow)
        return Assignment(shown, shadow, experiment.id, arm.id)

    def _prepared(self, tenant: str, version: Version) -> _Running:
        trial, model = read(version.folder / FILE), of_tenant(RANKER, tenant)
        return _Running(trial, {name: load(self._registry.load(model, name), tenant) for name in trial.versions})


_NOTHING_TRIED = _Running(Trial(), {})
