"""Fits models on schedule, one after the other, and promotes what was fitted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from rapport.models.promotions import promote
from rapport.models.versions import Version
from rapport.ops.errors import PermanentError, RapportError
from rapport.ops.parts import Health
from rapport.ops.settings import Settings
from rapport.ops.tasks import end
from services.profiler.insights.lease import Lease

log = structlog.stdlib.get_logger(__name__)
# Seconds until the next try while there is too little to learn from, and between two looks at the clock.
_AGAIN_S, _LOOK_S = 60.0, 2.0


@dataclass(slots=True)
class Job:
    """`every_s` 0: never by itself. `due` in seconds of the loop's clock."""

    name: str
    every_s: float
    run: Callable[[], Awaitable[Version]]
    later_s: float = 0.0
    """Tried first so long after the others."""
    due: float = 0.0


class Schedule:
    """A part. A job that fails is told of and tried again; it never stops the others."""

    name = "schedule"

    def __init__(self, jobs: Sequence[Job], lease: Lease, settings: Settings, first_after_s: float) -> None:
        self._jobs = [job for job in jobs if job.every_s]
        self._lease, self._settings, self._first_after_s = lease, settings, first_after_s
        self._task: asyncio.Task[None] | None = None
        self._detail = ""

    async def start(self) -> None:
        now = asyncio.get_running_loop().time()
        for job in self._jobs:
            job.due = now + self._first_after_s + job.later_s
        self._task = asyncio.create_task(self._keep(), name=self.name)

    async def stop(self) -> None:
        task, self._task = self._task, None
        await end(task)

    def health(self) -> Health:
        return Health(detail=self._detail)

    async def _keep(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(_LOOK_S)
            for job in self._jobs:
                if self._lease.held and clock() >= job.due:
                    job.due = clock() + (job.every_s if await self._done(job) else min(job.every_s, _AGAIN_S))

    async def _done(self, job: Job) -> bool:
        try:
            version = await job.run()
            await promote(version, self._settings)
        except RapportError as error:
            self._detail = f"{job.name}: {error}"
            log.log(20 if isinstance(error, PermanentError) else 30, "not fitted", job=job.name, reason=str(error))
            return False
        except Exception as error:
            self._detail = f"{job.name}: {error!r}"
            log.exception("not fitted", job=job.name)
            return False
        self._detail = f"{version} promoted"
        log.info("fitted and promoted", model=version.name, version=version.version, **dict(version.metrics))
        return True
