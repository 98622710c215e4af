"""Reading what lies on a topic, outside any consumer group."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable

from aiokafka import ConsumerRecord, TopicPartition

from rapport.bus.client import admin, reader, topic_name, unavailable
from rapport.bus.messages import Message
from rapport.bus.records import Record, message_of
from rapport.ops.errors import PermanentError, UnavailableError
from rapport.ops.settings import KafkaSettings, Settings

# A broker that is there answers a fetch within a second; silence for so long means that it is gone.
_SILENCE_S = 15.0
# A read that meets only transaction markers gives nothing, though it has moved: so waits are short.
_POLL_MS = 100


def record_of(read: ConsumerRecord) -> Record:
    """The record that aiokafka read."""
    return Record.of(read, read.headers, read.timestamp)


async def read_range(
    settings: KafkaSettings, topic: str, partition: int, start: int, stop: int
) -> AsyncGenerator[Record, None]:
    """Committed records from offset `start` (or the earliest kept) up to, and without, `stop`.

    Raises `UnavailableError` when the broker falls silent.
    """
    if stop <= 0:
        return
    place = TopicPartition(topic, partition)
    consumer = reader(settings)
    with unavailable(settings):
        try:
            await consumer.start()
            consumer.assign([place])
            earliest = (await consumer.beginning_offsets([place]))[place]
            consumer.seek(place, max(start, earliest))
            heard_at, before = time.monotonic(), -1
            while (position := await consumer.position(place)) < stop:
                if position > before:
                    heard_at, before = time.monotonic(), position
                elif time.monotonic() - heard_at > _SILENCE_S:
                    raise UnavailableError(f"no answer while reading {topic}/{partition}", field="kafka")
                batch = await consumer.getmany(place, timeout_ms=_POLL_MS)
                for read in batch.get(place, ()):
                    if read.offset >= stop:
                        return
                    yield record_of(read)
        finally:
            await consumer.stop()


async def read_topic(settings: KafkaSettings, topic: str) -> AsyncIterator[Record]:
    """All committed records of `topic` (the broker's name) up to where it ends now, one partition after the other."""
    async with admin(settings) as client:
        found = [each for each in await client.describe_topics([topic]) if not each["error_code"]]
    for partition in sorted(each["partition"] for each in (found[0]["partitions"] if found else ())):
        end = await end_of(settings, topic, partition)
        async for record in read_range(settings, topic, partition, 0, end):
            yield record


async def read_messages(
    settings: Settings, topic: str, unreadable: Callable[[PermanentError], None] = lambda _: None
) -> AsyncIterator[Message]:
    """What `read_topic` reads of the registered `topic`, decoded. A record that cannot be is told to `unreadable` and
    left out: its consumer has set it aside."""
    async for record in read_topic(settings.kafka, topic_name(settings.kafka, topic)):
        try:
            message = message_of(record, settings)
        except PermanentError as error:
            unreadable(error)
        else:
            yield message


async def end_of(settings: KafkaSettings, topic: str, partition: int) -> int:
    """The offset after the last committed record. Raises `UnavailableError`."""
    place = TopicPartition(topic, partition)
    consumer = reader(settings)
    with unavailable(settings):
        try:
            await consumer.start()
            return int((await consumer.end_offsets([place]))[place])
        finally:
            await consumer.stop()
