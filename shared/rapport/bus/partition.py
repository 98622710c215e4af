"""The loop of one partition: take a batch, run the handler, commit its effects; the next batch."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from aiokafka import TopicPartition

from rapport.bus.inbox import InboxIntake
from rapport.bus.keyed_state import PartitionState
from rapport.bus.processing import Processor
from rapport.bus.progress import Progress
from rapport.bus.records import Record
from rapport.bus.transactions import PartitionCommits, Reached
from rapport.bus.window import SeenWindow, read_window
from rapport.ops.settings import Settings


class Intake(Protocol):
    """Where a partition's records come from."""

    async def begin(self, offset: int) -> None:
        """Records at `offset` and above are wanted, in order and without gaps."""

    async def take(self) -> Sequence[Record]:
        """The next records, at most a batch; none after a short wait in vain."""

    async def idle_offset(self) -> int:
        """After a take in vain: everything below has been taken, or was never a record."""


@dataclass(slots=True)
class _Source:
    """One topic's part of the partition."""

    place: TopicPartition
    intake: Intake
    window: SeenWindow
    begun: float = 0.0
    """When its last batch began, on the monotonic clock."""


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
        commit_interval_s: float | None = None,
        state: PartitionState | None = None,
        inbox: InboxIntake | None = None,
        reached: Reached | None = None,
    ) -> None:
        """`inbox`: the same partition of the group's inbox. Its batches are handled between those of the source.

        `commit_interval_s`, in place of `kafka.commit_interval_s`: a batch begins no sooner after the one before. An
        event that comes alone waits for nothing; of many, more share a transaction, which costs as much as handling
        several.
        """
        self.place = place
        self._intake, self._processor, self._commits = intake, processor, commits
        self._progress, self._settings, self._state = progress, settings, state
        self._inbox, self._reached = inbox, reached
        self._commit_interval_s = settings.kafka.commit_interval_s if commit_interval_s is None else commit_interval_s
        self._sources: list[_Source] = []
        self._leaving = self._busy = False

    def leave(self) -> bool:
        """End after the batch under way. False when there is none: then the task may be cancelled at once."""
        self._leaving = True
        return self._busy

    async def own(self) -> None:
        """Works until `leave`, or raises what makes it impossible."""
        self._progress.expect(self.place)
        try:
            start = await self._commits.take_over(self._reached)
            if self._state:
                await self._state.restore()
            await self._begin(self.place, self._intake, start)
            if self._inbox:
                await self._begin(self._inbox.place, self._inbox, await self._commits.start_of(self._inbox.place))
            while not self._leaving:
                for source in self._sources:
                    await self._step(source)
        finally:
            await self._end()

    async def _begin(self, place: TopicPartition, intake: Intake, start: int) -> None:
        window = await read_window(place.topic, place.partition, start, self._settings)
        await intake.begin(start)
        self._progress.begin(place, start)
        self._sources.append(_Source(place, intake, window))

    async def _end(self) -> None:
        self._progress.end(self.place)
        if self._state:
            self._state.forget()
        try:
            if self._inbox:
                self._progress.end(self._inbox.place)
                await self._inbox.close()
        finally:
            await self._commits.close()

    async def _step(self, source: _Source) -> None:
        await asyncio.sleep(max(0.0, source.begun + self._commit_interval_s - time.monotonic()))
        records = await source.intake.take()
        if not records:
            self._progress.idle(source.place, await source.intake.idle_offset())
            return
        self._busy, source.begun = True, time.monotonic()
        try:
            await self._work_off(records, source)
        finally:
            self._busy = False

    async def _work_off(self, records: Sequence[Record], source: _Source) -> None:
        place = source.place
        effects = await self._processor.run(records, source.window, lambda: self._progress.alive(place))
        following = records[-1].offset + 1
        await self._commits.commit(effects, following, self._state.changes() if self._state else (), place)
        if self._state:
            self._state.keep()
        effects.remember(source.window)
        self._processor.metrics.done(records, effects.failures)
        self._progress.reach(place, following)
