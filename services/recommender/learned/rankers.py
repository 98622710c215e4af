"""Which ranker serves whom: what is promoted, what is scored in the shadow, what an experiment says."""

from __future__ import annotations

import asyncio

import structlog
from growthbook.core import chooseVariation, gbhash, getBucketRanges

from rapport.models.registry import Registry
from rapport.models.versions import Version
from rapport.ops.errors import PermanentError
from rapport.ops.parts import Health
from services.recommender.domain.ranking import FIXED, Assignment, Ranker
from services.recommender.learned.names import RANKER, of_tenant
from services.recommender.learned.ranker import load
from services.recommender.learned.settings import Arm, LearnedSection, ModelExperiment

log = structlog.stdlib.get_logger(__name__)

_HASH_VERSION = 2


class PromotedRankers:
    """`Rankers` of the domain, and a part: its start loads the versions that the settings name."""

    name = "rankers"

    def __init__(self, registry: Registry, settings: LearnedSection, tenant: str) -> None:
        """`tenant`: whose versions the settings name; others have what is promoted for them alone."""
        self._registry, self._settings, self._tenant = registry, settings, tenant
        self._promoted: dict[str, Ranker] = {}
        self._named: dict[str, Ranker] = {}
        self._missing: dict[str, str] = {}

    async def start(self) -> None:
        """A version that cannot be loaded is left out, and `health` says so: the shop goes on without it."""
        experiment = self._settings.experiment
        arms = [arm.ranker for arm in experiment.arms if _is_version(arm)] if experiment else []
        for version in {*self._settings.shadow, *arms}:
            try:
                self._named[version] = await asyncio.to_thread(self._load, version)
            except PermanentError as error:
                self._missing[version] = str(error)
                log.warning("a ranker named in the settings is not used", version=version, reason=str(error))

    async def stop(self) -> None:
        """Nothing is open."""

    def health(self) -> Health:
        promoted = sorted(ranker.name for ranker in self._promoted.values()) or ["fixed weights"]
        return Health(detail="; ".join([*promoted, *self._missing.values()]))

    async def use(self, tenant: str, version: Version | None) -> None:
        """Takes a promoted version over; None: back to fixed weights. Raises `ModelError`; then the old one stays."""
        if version is None:
            self._promoted.pop(tenant, None)
        else:
            self._promoted[tenant] = await asyncio.to_thread(load, version, tenant)

    def of(self, tenant: str, customer_id: str) -> Assignment:
        """Steady for a customer for as long as the experiment runs. Nobody in particular is in no experiment."""
        promoted = self._promoted.get(tenant)
        if tenant != self._tenant:
            return Assignment(promoted) if promoted else FIXED
        arm = assigned(self._settings.experiment, customer_id)
        if arm is None or self._settings.experiment is None:
            return Assignment(promoted, self._shadow(promoted))
        shown = {"promoted": promoted, "fixed": None}.get(arm.ranker, self._named.get(arm.ranker))
        if arm.ranker in self._missing:
            # What they would see is not what the variation promises: they are not counted in it.
            return Assignment(promoted, self._shadow(promoted))
        return Assignment(shown, self._shadow(shown), self._settings.experiment.id, arm.id)

    def _shadow(self, shown: Ranker | None) -> tuple[Ranker, ...]:
        rankers = (self._named[version] for version in self._settings.shadow if version in self._named)
        return tuple(ranker for ranker in rankers if shown is None or ranker.name != shown.name)

    def _load(self, version: str) -> Ranker:
        return load(self._registry.load(of_tenant(RANKER, self._tenant), version), self._tenant)


def assigned(experiment: ModelExperiment | None, customer_id: str) -> Arm | None:
    """The customer's arm, by GrowthBook's hash of the id; None: in no experiment."""
    if experiment is None or not customer_id:
        return None
    bucket = gbhash(experiment.id, customer_id, _HASH_VERSION)
    total = sum(arm.weight for arm in experiment.arms)
    weights = [arm.weight / total for arm in experiment.arms]
    place = (
        -1 if bucket is None else chooseVariation(bucket, getBucketRanges(len(weights), experiment.coverage, weights))
    )
    return experiment.arms[place] if place >= 0 else None


def _is_version(arm: Arm) -> bool:
    return arm.ranker not in ("promoted", "fixed")
