"""Many records handed to a producer at once: in batches made here, one future a batch instead of one a record."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner

from rapport.bus.records import Sending

# murmur2 of the key, as Java's; aiokafka's own default, which its batches bypass.
_PARTITIONER = DefaultPartitioner()


async def send_all(producer: AIOKafkaProducer, sendings: Iterable[Sending]) -> None:
    """Returns once the broker has stored all; order is kept per partition. Raises `KafkaError`."""
    places: dict[tuple[str, int], list[Sending]] = defaultdict(list)
    counts: dict[str, int] = {}
    for sending in sendings:
        if sending.topic not in counts:
            counts[sending.topic] = len(await producer.partitions_for(sending.topic))
        places[sending.topic, _partition(sending, counts[sending.topic])].append(sending)
    await asyncio.gather(*(_send(producer, *place, batch) for place, batch in places.items()))


def _partition(sending: Sending, count: int) -> int:
    if sending.partition is not None:
        return sending.partition
    partitions = list(range(count))
    return int(_PARTITIONER(sending.key, partitions, partitions))


async def _send(producer: AIOKafkaProducer, topic: str, partition: int, sendings: list[Sending]) -> None:
    stored = []
    batch = producer.create_batch()
    for sending in sendings:
        if not _append(batch, sending):
            stored.append(await producer.send_batch(batch, topic, partition=partition))
            batch = producer.create_batch()
            _append(batch, sending)
    batch.close()
    stored.append(await producer.send_batch(batch, topic, partition=partition))
    await asyncio.gather(*stored)


def _append(batch: Any, sending: Sending) -> bool:
    """False when the batch is full. An empty one takes a record of any size."""
    added = batch.append(
        timestamp=sending.timestamp_ms, key=sending.key, value=sending.value, headers=list(sending.headers)
    )
    return added is not None
