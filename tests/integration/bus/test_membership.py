"""Members come and go: nothing lost, nothing doubled, a customer's order kept; and a former owner is shut out."""

from __future__ import annotations

import asyncio
import gc
from collections import defaultdict
from collections.abc import Iterator, Sequence

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from deploy.local.servers import EmbeddedServers
from rapport.bus.client import group_id, reader
from rapport.bus.consumer import HandlerConsumer
from rapport.bus.group import GroupPart
from rapport.bus.messages import Handler, Message, Outgoing
from rapport.bus.processing import Effects
from rapport.bus.producer import EventProducer
from rapport.bus.records import message_of, sending_of
from rapport.bus.stateful import StatefulConsumer
from rapport.bus.transactions import PartitionCommits
from rapport.ops.settings import Settings
from tests.integration.bus.support import (
    IN,
    counting,
    echo,
    fresh,
    ids_on,
    ids_until,
    living,
    records_on,
    until,
    viewed,
)

EVENTS = 1500


def _consumer(runtime: str, settings: Settings, order: dict[str, list[int]]) -> GroupPart:
    """Remembers in which order each customer's events were handled for good, by offset."""

    def watching(handle: Handler) -> Handler:
        async def handler(messages: Sequence[Message]) -> Sequence[Outgoing]:
            await asyncio.sleep(0.01)
            outputs = await handle(messages)
            for message in messages:
                order[message.key].append(message.position.offset)
            return outputs

        return handler

    if runtime == "handler":
        return HandlerConsumer("g", [IN], watching(echo), settings, max_batch=10)
    return StatefulConsumer("g", IN, lambda state: watching(counting(state)), settings, max_batch=10)


def _wanted(runtime: str) -> set[str]:
    if runtime == "handler":
        return {f"out-e{number}" for number in range(EVENTS)}
    return {f"c{customer}-{count + 1}" for customer in range(10) for count in range(EVENTS // 10)}


@pytest.mark.parametrize("runtime", ["handler", "faust", "aiokafka"])
async def test_a_second_member_joins_and_the_first_leaves(runtime: str, servers: EmbeddedServers) -> None:
    stateful = {} if runtime == "handler" else {"stateful_runtime": runtime}
    settings = await fresh(servers.bootstrap_servers, **stateful)
    order: dict[str, list[int]] = defaultdict(list)
    first, second = _consumer(runtime, settings, order), _consumer(runtime, settings, order)
    producer = EventProducer("test", settings.kafka)
    async with living(producer, first):
        sending = asyncio.create_task(_send(producer))
        await until(lambda: _handled(order) > 100, 20)
        async with living(second):
            before = _handled(order)
            await until(lambda: first.health().ready and _handled(order) > before + 200, 20)
            await first.stop()
            found = await ids_until(settings, _wanted(runtime), 30)
            await sending
    assert found.keys() == _wanted(runtime)
    assert set(found.values()) == {1}
    # A batch that was given up is handled again: an offset may come twice, but never after a higher one was final.
    for offsets in order.values():
        final = list(dict.fromkeys(offsets))
        assert final == sorted(final)


def _handled(order: dict[str, list[int]]) -> int:
    return sum(map(len, order.values()))


async def _send(producer: EventProducer) -> None:
    for first in range(0, EVENTS, 50):
        await producer.send_many([viewed(number) for number in range(first, first + 50)])
        await asyncio.sleep(0.15)


@pytest.fixture
def tidied() -> Iterator[None]:
    """aiokafka leaves failed futures behind when a producer is shut out: they are to be reported now.

    Not in the middle of a later import: Python 3.11.7 cannot print a traceback while it parses (gh-106905).
    """
    yield
    gc.collect()


@pytest.mark.usefixtures("tidied")
async def test_who_had_the_partition_before_cannot_commit(settings: Settings, producer: EventProducer) -> None:
    await producer.send_many([viewed(number, customers=1) for number in range(5)])
    (first, *_) = await records_on(settings, IN)
    place = TopicPartition(first.topic, first.partition)
    consumer = reader(settings.kafka, group_id=group_id(settings.kafka, "g"))
    await consumer.start()
    former, owner, later = (PartitionCommits("g", place, consumer, settings.kafka, member=False) for _ in range(3))
    (output,) = await echo([message_of(first, settings)])
    effects = Effects(sendings=[sending_of(output, "g", settings.kafka)])
    try:
        assert await former.take_over() == 0
        await former.commit(effects, 2)
        assert await owner.take_over() == 2
        with pytest.raises(KafkaError):
            await former.commit(effects, 5)
        await owner.commit(Effects(), 3)
        assert await later.take_over() == 3
    finally:
        for commits in (former, owner, later):
            await commits.close()
        await consumer.stop()
    assert set((await ids_on(settings)).values()) == {1}
