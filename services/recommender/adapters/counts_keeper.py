"""Keeps the counts whole: when Redis comes back without them, the topic is read again from where they end."""

from __future__ import annotations

import asyncio
from typing import Protocol

import structlog

from rapport.ops.errors import RetryableError
from rapport.ops.parts import Health, Part
from rapport.ops.tasks import end

log = structlog.stdlib.get_logger(__name__)

_LOOK_EVERY_S = 5.0


class KeptCounts(Protocol):
    async def intact(self) -> bool:
        """False when there is less than was counted. Raises `UnavailableError`."""


class CountsKeeper:
    """The consumer of behaviour, as a part that looks after what it has counted. `consumer` begins, each time it
    starts, after what is counted."""

    def __init__(self, consumer: Part, counts: KeptCounts, every_s: float = _LOOK_EVERY_S) -> None:
        self.name = consumer.name
        self._consumer, self._counts, self._every_s = consumer, counts, every_s
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._consumer.start()
        self._task = asyncio.create_task(self._keep(), name=f"{self.name}:keeper")

    async def stop(self) -> None:
        task, self._task = self._task, None
        await end(task)
        await self._consumer.stop()

    def health(self) -> Health:
        if self._task is not None and self._task.done():
            return Health(live=False, ready=False, detail="nobody looks after the counts")
        return self._consumer.health()

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            try:
                intact = await self._counts.intact()
            except RetryableError:
                continue  # Redis is away; what it still has is seen when it is back
            if not intact:
                log.warning("Redis has lost counts: reading the behaviour again from where they end")
                await self._consumer.stop()
                await self._consumer.start()
