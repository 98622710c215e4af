"""Fine-tuned classifiers, each with an encoder of its own, replaced while they serve."""

from __future__ import annotations

from collections.abc import Collection

import structlog

from rapport.models.versions import Version
from rapport.ops.parts import Health
from rapport.ops.settings import Settings
from rapport.serving.encoding import EncodingEngine, EngineRoom
from rapport.serving.loading import load_classifier

log = structlog.stdlib.get_logger(__name__)


class TunedClassifiers:
    """By task, the engine of the version that is promoted. Changed by one caller at a time."""

    def __init__(self, settings: Settings, room: EngineRoom) -> None:
        self._settings, self._room = settings, room
        self._engines: dict[str, EncodingEngine] = {}

    def engine(self, task: str) -> EncodingEngine | None:
        """What answers for `task`; its heads hold that task alone. None: no such version is promoted."""
        return self._engines.get(task)

    @property
    def tasks(self) -> Collection[str]:
        return self._engines.keys()

    async def use(self, task: str, version: Version) -> None:
        """Loads `version` beside what answers, warms it and has it take over between two batches.

        Raises `ModelError`: what answered goes on.
        """
        old = self._engines.get(task)
        fresh = await self._room.beside(
            task, old, lambda: load_classifier(self._settings, task, version, self._room.memory)
        )
        self._engines[task] = fresh
        log.info("classifier replaced", task=task, by=str(version))
        if old is not None:
            await self._room.retire(old, fresh)

    async def drop(self, task: str) -> None:
        """`task` is answered from the shared encoder again."""
        old = self._engines.pop(task, None)
        if old is not None:
            await self._room.retire(old, None)

    async def stop(self) -> None:
        """Calls that still wait end with `UnavailableError`."""
        for task in list(self._engines):
            await self._engines.pop(task).stop()

    def health(self) -> Health:
        """Of the first that is not well."""
        told = [engine.health() for engine in self._engines.values()]
        return next((health for health in told if not health.live), Health())
