"""What passes over the topics now, for those who look at the status page."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from rapport.bus.client import reader, registered_name, topic_name
from rapport.bus.reading import record_of
from rapport.bus.records import Record
from rapport.ops.errors import UnavailableError
from rapport.ops.settings import KafkaSettings
from rapport.ops.tasks import Background
from services.gateway.ports import Json

log = structlog.stdlib.get_logger(__name__)
# A viewer that falls this many messages behind misses the oldest: the page shows what is new.
_BACKLOG = 200
_RECONNECT_S = 1.0
# Messages are read for this long after the last viewer left: a page that is loaded again misses nothing.
_LINGER_S = 5.0
_POLL_MS = 250


class LiveTail(Background):
    """`Live`: follows topics from their ends, without a group, as a part. Reads messages only while somebody looks:
    reading and copying all of them for nobody took a tenth of a core at 200 events a second."""

    def __init__(self, settings: KafkaSettings, topics: tuple[str, ...]) -> None:
        self.name = "live"
        self._settings, self._topics = settings, topics
        self._viewers: set[asyncio.Queue[Json]] = set()
        self._wanted = asyncio.Event()
        self._began: dict[TopicPartition, int] = {}
        self._asking: AIOKafkaConsumer | None = None

    async def stop(self) -> None:
        await super().stop()
        if self._asking is not None:
            with contextlib.suppress(KafkaError):
                await self._asking.stop()
            self._asking = None

    async def counts(self) -> dict[str, int]:
        """Records written since the first call, by topic; the marks of transactions are among them. Raises
        `UnavailableError`."""
        try:
            ends = await self._ends()
        except (KafkaError, OSError) as error:
            raise UnavailableError(f"Kafka does not answer: {error!r}", field="kafka") from error
        counted: Counter[str] = Counter()
        for place, offset in ends.items():
            counted[registered_name(self._settings, place.topic)] += offset - self._began.setdefault(place, offset)
        return {topic: counted[topic] for topic in self._topics}

    async def watch(self) -> AsyncIterator[Json]:
        """Messages from now on."""
        queue: asyncio.Queue[Json] = asyncio.Queue(_BACKLOG)
        self._viewers.add(queue)
        self._wanted.set()
        try:
            while True:
                yield await queue.get()
        finally:
            self._viewers.discard(queue)

    async def _ends(self) -> Mapping[TopicPartition, int]:
        if self._asking is None:
            asking = reader(self._settings)
            try:
                await asking.start()
            except BaseException:  # whoever asked may be gone by now
                await asking.stop()
                raise
            self._asking = asking
        places = [
            TopicPartition(topic_name(self._settings, topic), number)
            for topic in self._topics
            for number in range(self._settings.partitions)
        ]
        ends: Mapping[TopicPartition, int] = await self._asking.end_offsets(places)
        return ends

    async def _run(self) -> None:
        while True:
            await self._wanted.wait()
            try:
                await self._follow()
            except (KafkaError, OSError) as error:
                log.warning("live view reconnects", error=repr(error))
                await asyncio.sleep(_RECONNECT_S)

    async def _follow(self) -> None:
        """Until nobody has looked for a while."""
        names = [topic_name(self._settings, topic) for topic in self._topics]
        consumer = reader(self._settings, *names, auto_offset_reset="latest")
        try:
            await consumer.start()
            looked_at = time.monotonic()
            while time.monotonic() - looked_at < _LINGER_S:
                for reads in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
                    for read in reads:
                        self._show(record_of(read))
                if self._viewers:
                    looked_at = time.monotonic()
            self._wanted.clear()
        finally:
            with contextlib.suppress(KafkaError):
                await consumer.stop()

    def _show(self, record: Record) -> None:
        if not self._viewers:
            return
        shown: Json = {
            "topic": registered_name(self._settings, record.topic),
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
