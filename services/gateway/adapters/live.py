"""What passes over the topics now, for those who look at the status page."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator

import structlog
from aiokafka.errors import KafkaError

from rapport.bus.client import reader, registered_name, topic_name
from rapport.bus.reading import record_of
from rapport.bus.records import Record
from rapport.ops.parts import Health
from rapport.ops.settings import KafkaSettings
from rapport.ops.tasks import end
from services.gateway.ports import Json

log = structlog.stdlib.get_logger(__name__)
# A viewer that falls this many messages behind misses the oldest: the page shows what is new.
_BACKLOG = 200
_RECONNECT_S = 1.0


class LiveTail:
    """`Live`: follows topics from their ends, without a group, as a part."""

    def __init__(self, settings: KafkaSettings, topics: tuple[str, ...]) -> None:
        self.name = "live"
        self._settings, self._topics = settings, topics
        self._viewers: set[asyncio.Queue[Json]] = set()
        self._counts: Counter[str] = Counter()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        task, self._task = self._task, None
        await end(task)

    def health(self) -> Health:
        return Health(live=self._task is None or not self._task.done())

    def counts(self) -> dict[str, int]:
        """Messages seen since the start, by topic."""
        return {topic: self._counts[topic] for topic in self._topics}

    async def watch(self) -> AsyncIterator[Json]:
        """Messages from now on."""
        queue: asyncio.Queue[Json] = asyncio.Queue(_BACKLOG)
        self._viewers.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._viewers.discard(queue)

    async def _run(self) -> None:
        while True:
            try:
                await self._follow()
            except (KafkaError, OSError) as error:
                log.warning("live view reconnects", error=repr(error))
            await asyncio.sleep(_RECONNECT_S)

    async def _follow(self) -> None:
        names = [topic_name(self._settings, topic) for topic in self._topics]
        consumer = reader(self._settings, *names, auto_offset_reset="latest")
        try:
            await consumer.start()
            async for read in consumer:
                self._show(record_of(read))
        finally:
            with contextlib.suppress(KafkaError):
                await consumer.stop()

    def _show(self, record: Record) -> None:
        topic = registered_name(self._settings, record.topic)
        self._counts[topic] += 1
        if not self._viewers:
            return
        shown: Json = {
            "topic": topic,
            "key": (record.key or b"").decode(errors="replace"),
            "type": record.header("ce_type") or "",
            "time": record.timestamp_ms,
            "data": _readable(record.value),
        }
        for queue in self._viewers:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(shown)


def _readable(value: bytes | None) -> object:
    try:
        return json.loads(value or b"null")
    except (ValueError, RecursionError):
        return None
