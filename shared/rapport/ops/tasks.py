"""Background tasks: a part that is one, and ending any."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from typing import Any, TypeVar

from rapport.ops.parts import Health

# A cancelled task that has not ended within this time, in seconds, is cancelled once more.
_AGAIN_AFTER_S = 0.1
# What must not be cut has so many seconds from its caller's cancellation. A server that is there answers long before.
_FINISH_WITHIN_S = 5.0

T = TypeVar("T")


async def end(task: asyncio.Task[None] | None) -> None:
    """Cancels until the task has ended, whatever it ends with.

    Once is not enough: before Python 3.12 `asyncio.wait_for`, which redis-py puts around every command, loses a
    cancellation that comes in the same moment as its result. A loop that goes on after it would never end.
    """
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=_AGAIN_AFTER_S)


async def uncut(work: Coroutine[Any, Any, T]) -> T:
    """Lets `work` finish though the caller is cancelled, once or often, and only then goes on with the cancellation.

    For opening and closing what leaks when it is cut in two. Cut all the same when it takes over 5 s from then.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            if cancelled is None:
                asyncio.get_running_loop().call_later(_FINISH_WITHIN_S, task.cancel)
            cancelled = error
    if cancelled is None:
        return task.result()
    if not task.cancelled():
        task.exception()  # asked for, so that it is not reported as never seen
    raise cancelled


class Background(ABC):
    """A part that is one task from start to stop. Not live once the task has ended by itself: nobody does its work."""

    name: str
    _task: asyncio.Task[None] | None = None
    _detail: str = ""

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        task, self._task = self._task, None
        await end(task)

    def health(self) -> Health:
        return Health(live=self._task is None or not self._task.done(), detail=self._detail)

    @abstractmethod
    async def _run(self) -> None:
        """What it does, until cancelled."""
