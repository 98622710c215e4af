"""Background tasks: a part that is one, and ending any."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod

# A cancelled task that has not ended within this time, in seconds, is cancelled once more.
_AGAIN_AFTER_S = 0.1


async def end(task: asyncio.Task[None] | None) -> None:
    """Cancels until the task has ended, whatever it ends with.

    Once is not enough: before Python 3.12 `asyncio.wait_for`, which redis-py puts around every command, loses a
    cancellation that comes in the same moment as its result. A loop that goes on after it would never end.
    """
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=_AGAIN_AFTER_S)


class Background(ABC):
    """A part that is one task from start to stop. What it says of its health is its own."""

    name: str
    _task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        task, self._task = self._task, None
        await end(task)

    @abstractmethod
    async def _run(self) -> None:
        """What it does, until cancelled."""
