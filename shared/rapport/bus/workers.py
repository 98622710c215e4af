"""The partitions that a member owns, each with a worker: begun together, watched, and let go in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from rapport.bus.partition import PartitionWorker
from rapport.ops.errors import UnavailableError

log = structlog.stdlib.get_logger(__name__)
# How often something other than a worker is asked whether it is still well.
_ASK_EVERY_S = 0.5


class Workers:
    """The workers of one membership."""

    def __init__(self, drain_s: float) -> None:
        self._drain_s = drain_s
        self._workers: dict[asyncio.Task[None], PartitionWorker] = {}
        self._changed = asyncio.Event()

    def begin(self, worker: PartitionWorker) -> None:
        name = f"{worker.place.topic}/{worker.place.partition}"
        self._workers[asyncio.create_task(worker.own(), name=name)] = worker
        self._changed.set()

    async def watch(self, stopping: asyncio.Event, ask: Callable[[], None] = lambda: None) -> None:
        """Returns when `stopping` is set.

        Raises what ended a worker, or what `ask` raises; it is called now and then.
        """
        stop = asyncio.create_task(stopping.wait())
        try:
            while not stopping.is_set():
                self._changed.clear()
                changed = asyncio.create_task(self._changed.wait())
                await asyncio.wait(
                    {stop, changed, *self._workers}, timeout=_ASK_EVERY_S, return_when=asyncio.FIRST_COMPLETED
                )
                changed.cancel()
                for task in [task for task in self._workers if task.done()]:
                    if task.cancelled():
                        raise UnavailableError(
                            f"the work on {task.get_name()} was cancelled from outside", field="kafka"
                        )
                    task.result()
                ask()
        finally:
            stop.cancel()

    async def release(self) -> None:
        """Batches under way are finished and committed within the drain time, or left for the next owner to repeat."""
        going, self._workers = self._workers, {}
        if not going:
            return
        for task, worker in going.items():
            if not worker.leave():
                # Not only to be quick: while the group rebalances, aiokafka answers no read.
                task.cancel()
        _, late = await asyncio.wait(going, timeout=self._drain_s)
        for task in late:
            log.warning("batch given up, it will be handled again", partition=task.get_name())
            task.cancel()
        await asyncio.gather(*going, return_exceptions=True)

    def __len__(self) -> int:
        return len(self._workers)
