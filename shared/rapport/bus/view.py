"""A compacted topic held in memory by every replica: read whole at the start, then followed, without a group."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from rapport.bus.client import reader, topic_name
from rapport.bus.dead_letter import Failure, dead_letter_of
from rapport.bus.messages import Message, Outgoing
from rapport.bus.processing import Processor
from rapport.bus.progress import Progress
from rapport.bus.reading import record_of
from rapport.bus.records import Record
from rapport.bus.topics import ensure_topics
from rapport.bus.watchdog import Watchdog
from rapport.bus.window import SeenWindow
from rapport.events.topics import topic_named
from rapport.ops.errors import UnavailableError
from rapport.ops.parts import Health
from rapport.ops.settings import Settings
from rapport.ops.tasks import end

log = structlog.stdlib.get_logger(__name__)
# Partitions are read in turn, each up to this much.
_POLL_MS = 200
_PAUSE_S = 1.0
# How long records gather, once all is read that was there: a fetch of one costs about as much as one of twenty.
_GATHER_S = 0.05
# What is skipped here is missing until the next start. So "try later" (a worker that loads its model) is waited out.
_RETRY_FOR_S = 3600.0


class TopicView:
    """Gives every message of `topic` to `apply`, as a part; ready once it has come to where the topic ended then.

    Batches come one at a time, each of one partition in order; `event` None is a tombstone. A message that cannot be
    read or applied is logged, counted (`rapport_consumer_dead_letters`) and passed over: each replica would write the
    same dead letter, and the publisher's next version of the record replaces it anyway.
    """

    def __init__(
        self, name: str, topic: str, apply: Callable[[Sequence[Message]], Awaitable[None]], settings: Settings
    ) -> None:
        """`name` says whose view it is, in logs and metrics ("recommender")."""
        self.name = f"view:{name}:{topic}"
        self._group, self._topic, self._settings = f"{name}:view", topic_named(topic), settings
        self._apply = apply
        self._processor = Processor(self._group, self._handle, settings, retry_for_s=_RETRY_FOR_S)
        self._window = SeenWindow(0)
        self._progress = Progress()
        self._watchdog = Watchdog(self._group, self._progress, settings.kafka)
        self._next: dict[TopicPartition, int] = {}
        self._goal: dict[TopicPartition, int] | None = None
        self._task: asyncio.Task[None] | None = None
        self.caught_up = asyncio.Event()
        """Set once everything that was there at the start has been applied."""

    async def start(self) -> None:
        await ensure_topics(self._settings.kafka, [self._topic])
        self._watchdog.start()
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        task, self._task = self._task, None
        await end(task)
        await self._watchdog.stop()

    def health(self) -> Health:
        stalled = self._watchdog.stalled()
        ready = self.caught_up.is_set() and not stalled
        return Health(live=not stalled, ready=ready, detail=stalled or f"lag {self._progress.lag()}")

    async def _run(self) -> None:
        while True:
            consumer = reader(self._settings.kafka)
            try:
                await self._follow(consumer)
            except (KafkaError, OSError, UnavailableError) as error:
                log.warning("view reconnects", view=self.name, error=repr(error))
            except Exception:
                log.exception("view reconnects after an unexpected error", view=self.name)
            finally:
                with contextlib.suppress(KafkaError):
                    await consumer.stop()
            await asyncio.sleep(_PAUSE_S)

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        await consumer.start()
        name = topic_name(self._settings.kafka, self._topic.name)
        places = [TopicPartition(name, partition) for partition in range(self._settings.kafka.partitions)]
        consumer.assign(places)
        earliest = await consumer.beginning_offsets(places)
        if self._goal is None:
            self._goal = await consumer.end_offsets(places)
        for place in places:
            start = max(self._next.get(place, 0), earliest[place])
            consumer.seek(place, start)
            self._progress.begin((place.topic, place.partition), start)
        while True:
            batches = await consumer.getmany(timeout_ms=_POLL_MS, max_records=self._settings.kafka.max_batch)
            for place, batch in batches.items():
                await self._take(place, [record_of(read) for read in batch])
            for place in places:
                self._next[place] = await consumer.position(place)
                self._progress.idle((place.topic, place.partition), self._next[place])
            if all(self._next[place] >= end for place, end in self._goal.items()):
                self.caught_up.set()
                await asyncio.sleep(_GATHER_S if batches else 0)

    async def _take(self, place: TopicPartition, records: list[Record]) -> None:
        where = (place.topic, place.partition)
        effects = await self._processor.run(records, self._window, lambda: self._progress.alive(where))
        for failure in effects.failures:
            self._report(failure)
        self._processor.metrics.done(records, effects.failures)
        self._progress.reach(where, records[-1].offset + 1)

    async def _handle(self, messages: Sequence[Message]) -> Sequence[Outgoing]:
        await self._apply(messages)
        return ()

    def _report(self, failure: Failure) -> None:
        letter = dead_letter_of(failure, self._group)
        log.warning(
            "record passed over", view=self.name, **letter.model_dump(mode="json", exclude={"group", "failed_at"})
        )
