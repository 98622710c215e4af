"""One stay of an aiokafka consumer in its group: a worker for each partition that it is given, everything let go."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from rapport.bus.client import group_id, reader
from rapport.bus.partition import Intake, PartitionWorker
from rapport.bus.reading import record_of
from rapport.bus.records import Record
from rapport.bus.transactions import PartitionCommits
from rapport.bus.watchdog import Watchdog
from rapport.bus.workers import Workers
from rapport.ops.settings import KafkaSettings

log = structlog.stdlib.get_logger(__name__)
# How long a take waits for records before it looks whether to stop.
_POLL_MS = 200
# aiokafka counts a consumer that fetches nothing for this long as gone. Ours may be retrying on purpose for
# `retry_for_s` twice over; that a handler hangs is the watchdog's to find.
_IDLE_MARGIN_S = 300.0
NewWorker = Callable[[TopicPartition, Intake, PartitionCommits], PartitionWorker]


class AiokafkaMembership(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is not typed
    """Joins, works, and leaves in order."""

    def __init__(
        self,
        group: str,
        topics: Sequence[str],
        new_worker: NewWorker,
        watchdog: Watchdog,
        settings: KafkaSettings,
        max_batch: int,
    ) -> None:
        """`topics` by their names on the broker."""
        self._group, self._topics, self._new_worker = group, topics, new_worker
        self._watchdog, self._settings, self._max_batch = watchdog, settings, max_batch
        self._workers = Workers(settings.drain_s)
        self._consumer = _group_consumer(settings, group)

    async def live(self, stopping: asyncio.Event) -> None:
        try:
            await self._consumer.start()
            self._consumer.subscribe(self._topics, listener=self)
            await self._workers.watch(stopping)
        finally:
            await self._workers.release()
            with contextlib.suppress(KafkaError):
                await self._consumer.stop()

    async def on_partitions_revoked(self, _: Iterable[TopicPartition]) -> None:
        """Called before the partitions go; the group waits."""
        self._watchdog.settled(False)
        await self._workers.release()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        for place in sorted(assigned):
            intake = _Intake(place, self._consumer, self._max_batch)
            commits = PartitionCommits(self._group, place, self._consumer, self._settings, member=True)
            self._workers.begin(self._new_worker(place, intake, commits))
        self._watchdog.settled(True)
        log.info("partitions assigned", group=self._group, partitions=len(self._workers))


class _Intake:
    """One partition of an aiokafka consumer."""

    def __init__(self, place: TopicPartition, consumer: AIOKafkaConsumer, max_batch: int) -> None:
        self._place, self._consumer, self._max_batch = place, consumer, max_batch

    async def begin(self, offset: int) -> None:
        # Also drops what was fetched before the take-over, which may begin too early.
        self._consumer.seek(self._place, offset)

    async def take(self) -> Sequence[Record]:
        batch = await self._consumer.getmany(self._place, timeout_ms=_POLL_MS, max_records=self._max_batch)
        return [record_of(read) for read in batch.get(self._place, ())]

    async def idle_offset(self) -> int:
        return int(await self._consumer.position(self._place))


def _group_consumer(settings: KafkaSettings, group: str) -> AIOKafkaConsumer:
    """A consumer of the group, not yet subscribed."""
    session_ms = int(settings.session_timeout_s * 1000)
    return reader(
        settings,
        group_id=group_id(settings, group),
        session_timeout_ms=session_ms,
        heartbeat_interval_ms=session_ms // 10,
        # Members have this long to finish what they do before the others go on without them.
        rebalance_timeout_ms=int((settings.drain_s + settings.session_timeout_s) * 1000),
        max_poll_interval_ms=int((2 * settings.retry_for_s + _IDLE_MARGIN_S) * 1000),
    )
