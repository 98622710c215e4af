"""A group's inbox: a topic of its own, cut like its source, through which one partition tells another something.

Whoever owns partition 3 of the source reads partition 3 of the inbox: there is no second membership that could give it
to somebody else. Its offset is committed in the owner's transactions, beside that of the source.
"""

from __future__ import annotations

from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from rapport.bus.client import reader
from rapport.bus.reading import record_of
from rapport.bus.records import Record
from rapport.ops.settings import KafkaSettings

# An inbox is nearly always empty, and every partition has a reader: so few questions. What comes is told at once.
_FETCH_WAIT_MS = 500


class InboxIntake:
    """The `Intake` of one partition of an inbox. Never waits: the source does."""

    def __init__(self, place: TopicPartition, max_batch: int, settings: KafkaSettings) -> None:
        self.place = place
        self._max_batch = max_batch
        self._consumer: AIOKafkaConsumer = reader(settings, fetch_max_wait_ms=_FETCH_WAIT_MS)

    async def begin(self, offset: int) -> None:
        await self._consumer.start()
        self._consumer.assign([self.place])
        self._consumer.seek(self.place, offset)

    async def take(self) -> Sequence[Record]:
        batch = await self._consumer.getmany(self.place, timeout_ms=0, max_records=self._max_batch)
        return [record_of(read) for read in batch.get(self.place, ())]

    async def idle_offset(self) -> int:
        return int(await self._consumer.position(self.place))

    async def close(self) -> None:
        await self._consumer.stop()
