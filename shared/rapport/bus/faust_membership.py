"""One stay of a Faust application in its group: a worker for each partition that it is given, everything let go."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Callable
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from rapport.bus.client import group_id, reader
from rapport.bus.faust_app import new_app, source_topic
from rapport.bus.faust_intake import FaustIntake
from rapport.bus.partition import Intake, PartitionWorker
from rapport.bus.transactions import PartitionCommits
from rapport.bus.watchdog import Watchdog
from rapport.bus.workers import Workers
from rapport.ops.errors import UnavailableError
from rapport.ops.settings import KafkaSettings

log = structlog.stdlib.get_logger(__name__)
# Faust waits for its threads when it stops; one that hangs must not keep us from joining anew.
_STOP_WITHIN_S = 20.0
NewWorker = Callable[[TopicPartition, Intake, PartitionCommits], PartitionWorker]


class FaustMembership:
    """Joins, works, and leaves in order."""

    def __init__(
        self,
        group: str,
        source: str,
        new_worker: NewWorker,
        watchdog: Watchdog,
        settings: KafkaSettings,
        max_batch: int,
    ) -> None:
        """`source`: the topic's name on the broker."""
        self._group, self._source, self._new_worker = group, source, new_worker
        self._watchdog, self._settings, self._max_batch = watchdog, settings, max_batch
        self._workers = Workers(settings.drain_s)
        self._intakes: dict[int, FaustIntake] = {}
        self._assigned: list[TopicPartition] | None = None
        self._begun = asyncio.Event()
        self._offsets: AIOKafkaConsumer = reader(settings, group_id=group_id(settings, group))
        self._app = new_app(group, settings)
        self._app.agent(source_topic(self._app, source, settings.partitions), name="feed")(self._feed)
        self._app.on_partitions_revoked.connect(self._on_revoked)
        self._app.on_partitions_assigned.connect(self._on_assigned)
        self._app.on_rebalance_complete.connect(self._on_complete)

    async def live(self, stopping: asyncio.Event) -> None:
        starting: asyncio.Task[None] | None = None
        try:
            await self._offsets.start()
            starting = asyncio.create_task(self._app.start(), name=f"faust:{self._group}")
            await self._workers.watch(stopping, lambda: self._ask(starting))
        finally:
            self._watchdog.settled(False)
            await self._workers.release()
            await self._close(starting)

    def _ask(self, starting: asyncio.Task[None]) -> None:
        if starting.done():
            starting.result()
        if self._app.should_stop:
            raise UnavailableError(f"Faust ended: {self._app.crash_reason!r}", field="kafka")

    async def _close(self, starting: asyncio.Task[None] | None) -> None:
        if starting is not None:
            try:
                await asyncio.wait_for(self._app.stop(), _STOP_WITHIN_S)
            except Exception as error:  # noqa: BLE001  # it is over anyhow; what matters is that we join anew
                log.warning("Faust did not stop in order", error=repr(error))
            starting.cancel()
            await asyncio.wait({starting})
        shutil.rmtree(self._app.conf.datadir, ignore_errors=True)
        with contextlib.suppress(KafkaError):
            await self._offsets.stop()

    async def _feed(self, stream: Any) -> None:
        async for event in stream.events():
            message = event.message
            while message.partition not in self._intakes and self._current(message):
                await self._begun.wait()
            intake = self._intakes.get(message.partition)
            if intake is not None:
                await intake.offer(message)

    def _current(self, message: Any) -> bool:
        return bool(message.generation_id == self._generation())

    def _generation(self) -> int:
        return int(self._app.consumer_generation_id)

    async def _end(self, place: TopicPartition) -> int:
        return int((await self._offsets.end_offsets([place]))[place])

    async def _on_revoked(self, *_: Any, **__: Any) -> None:
        """Called before the partitions go; the group waits."""
        self._watchdog.settled(False)
        self._assigned = None
        self._begun.clear()
        # Whoever waits for room in an intake is let through, and finds its record to be of a former generation.
        intakes, self._intakes = self._intakes, {}
        await self._workers.release()
        for intake in intakes.values():
            intake.close()

    async def _on_assigned(self, *arguments: Any, **_: Any) -> None:
        assigned = arguments[-1]
        places = [TopicPartition(place.topic, place.partition) for place in assigned if place.topic == self._source]
        self._assigned = sorted(places)

    async def _on_complete(self, *_: Any, **__: Any) -> None:
        """The rebalance is over; records flow from here on."""
        for place in self._assigned or ():
            if place.partition not in self._intakes:
                self._begin(place)
        if self._assigned is not None:
            self._begun.set()
            self._watchdog.settled(True)
            log.info("partitions assigned", group=self._group, partitions=len(self._workers))

    def _begin(self, place: TopicPartition) -> None:
        intake = FaustIntake(place, self._max_batch, self._generation, self._end, self._settings)
        commits = PartitionCommits(self._group, place, self._offsets, self._settings, member=False)
        self._intakes[place.partition] = intake
        self._workers.begin(self._new_worker(place, intake, commits))
