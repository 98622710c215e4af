"""The loop of one partition: take a batch, run the handler, commit its effects; the next batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from aiokafka import TopicPartition

from rapport.bus.keyed_state import PartitionState
from rapport.bus.processing import Processor
from rapport.bus.progress import Progress
from rapport.bus.records import Record
from rapport.bus.transactions import PartitionCommits, Reached
from rapport.bus.window import read_window
from rapport.ops.settings import Settings


class Intake(Protocol):
    """Where a partition's records come from."""

    async def begin(self, offset: int) -> None:
        """Records at `offset` and above are wanted, in order and without gaps."""

    async def take(self) -> Sequence[Record]:
        """The next records, at most a batch; none after a short wait in vain."""

    async def idle_offset(self) -> int:
        """After a take in vain: everything below has been taken, or was never a record."""


class PartitionWorker:
    """Owns one partition from assignment to revocation."""

    def __init__(
        self,
        place: TopicPartition,
        intake: Intake,
        processor: Processor,
        commits: PartitionCommits,
        progress: Progress,
        settings: Settings,
        *,
        state: PartitionState | None = None,
        reached: Reached | None = None,
    ) -> None:
        self.place = place
        self._intake, self._processor, self._commits = intake, processor, commits
        self._progress, self._settings, self._state = progress, settings, state
        self._reached = reached
        self._leaving = self._busy = False

    def leave(self) -> bool:
        """End after the batch under way. False when there is none: then the task may be cancelled at once."""
        self._leaving = True
        return self._busy

    async def own(self) -> None:
        """Works until `leave`, or raises what makes it impossible."""
        place = self.place
        self._progress.expect(place)
        try:
            start = await self._commits.take_over(self._reached)
            if self._state:
                await self._state.restore()
            self._window = await read_window(place.topic, place.partition, start, self._settings)
            await self._intake.begin(start)
            self._progress.begin(place, start)
            while not self._leaving:
                await self._step()
        finally:
            self._progress.end(place)
            if self._state:
                self._state.forget()
            await self._commits.close()

    async def _step(self) -> None:
        records = await self._intake.take()
        if not records:
            self._progress.idle(self.place, await self._intake.idle_offset())
            return
        self._busy = True
        try:
            await self._work_off(records)
        finally:
            self._busy = False

    async def _work_off(self, records: Sequence[Record]) -> None:
        effects = await self._processor.run(records, self._window, lambda: self._progress.alive(self.place))
        following = records[-1].offset + 1
        await self._commits.commit(effects, following, self._state.changes() if self._state else ())
        if self._state:
            self._state.keep()
        effects.remember(self._window)
        self._processor.metrics.done(records, effects.failures)
        self._progress.reach(self.place, following)
