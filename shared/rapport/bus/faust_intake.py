"""One partition of a Faust stream, made sure of what Faust does not promise: in order, each once, none left out."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from aiokafka import TopicPartition

from rapport.bus.reading import read_range
from rapport.bus.records import Record
from rapport.ops.settings import KafkaSettings

log = structlog.stdlib.get_logger(__name__)
# How long a take waits for records before it looks whether to stop.
_WAIT_S = 0.2
# An idle partition is looked ahead of this often: a question to the broker, well within the watchdog's patience.
_LOOK_EVERY_S = 5.0


class FaustIntake:
    """Records offered by the stream, taken by the partition's worker."""

    def __init__(
        self,
        place: TopicPartition,
        max_batch: int,
        generation: Callable[[], int],
        end: Callable[[TopicPartition], Awaitable[int]],
        settings: KafkaSettings,
    ) -> None:
        """`generation` tells the group's current one: what was fetched under another is not ours to handle.

        `end` asks the broker where the partition ends.
        """
        self._place, self._max_batch, self._generation, self._settings = place, max_batch, generation, settings
        self._waiting: deque[Any] = deque()
        self._ready: deque[Record] = deque()
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._next = 0
        self._end, self._look_at = end, 0.0

    async def offer(self, message: Any) -> None:
        """Takes in one of Faust's messages; waits while there are two batches already."""
        await self._room.wait()
        self._waiting.append(message)
        self._arrived.set()
        if len(self._waiting) >= 2 * self._max_batch:
            self._room.clear()

    def close(self) -> None:
        """Lets go whoever waits for room."""
        self._waiting.clear()
        self._room.set()

    async def begin(self, offset: int) -> None:
        self._next = offset

    async def take(self) -> Sequence[Record]:
        if not self._waiting and not self._ready:
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), _WAIT_S)
            except TimeoutError:
                return ()
        while self._waiting and len(self._ready) < self._max_batch:
            await self._read(self._waiting.popleft())
        self._room.set()
        return [self._ready.popleft() for _ in range(min(self._max_batch, len(self._ready)))]

    async def _read(self, message: Any) -> None:
        # Below: read before the take-over of the partition, or read twice around a pause.
        if message.generation_id != self._generation() or message.offset < self._next:
            return
        if message.offset > self._next:
            await self._fill(message.offset)
        self._ready.append(_record(message))
        self._next = message.offset + 1

    async def idle_offset(self) -> int:
        # Faust tells nothing of the markers that end a transaction (a replay's, say). The last one is followed by no
        # record to tell of it, and would count as lag for ever.
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + _LOOK_EVERY_S
            await self._look_ahead()
        return self._next

    async def _look_ahead(self) -> None:
        end = await self._end(self._place)
        ahead = read_range(self._settings, self._place.topic, self._place.partition, self._next, end)
        async with contextlib.aclosing(ahead):
            async for _ in ahead:
                return  # a record: the stream will bring it, or the watchdog sees that it does not
        self._next = max(self._next, end)

    async def _fill(self, upto: int) -> None:
        """Reads what lies between: nothing, after a transaction or compaction; else what the stream passed over."""
        before = len(self._ready)
        async for record in read_range(self._settings, self._place.topic, self._place.partition, self._next, upto):
            self._ready.append(record)
        if len(self._ready) > before:
            log.warning("the stream left out records", partition=self._place, count=len(self._ready) - before)


def _record(message: Any) -> Record:
    return Record.of(message, tuple(message.headers or ()), int((message.timestamp or 0) * 1000))
