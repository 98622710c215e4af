"""A partition that stands still turns liveness false; a slow but retrying one does not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from deploy.local.servers import EmbeddedServers
from rapport.bus.client import writer
from rapport.bus.consumer import HandlerConsumer
from rapport.bus.messages import Handler, KeyedState, Message, Outgoing
from rapport.bus.producer import EventProducer, hand_over
from rapport.bus.records import sending_of
from rapport.bus.stateful import StatefulConsumer
from rapport.ops.errors import UnavailableError
from tests.integration.bus.support import IN, counting, fresh, living, until, viewed


@pytest.mark.parametrize("runtime", ["handler", "faust"])
async def test_a_hung_handler_is_found(runtime: str, servers: EmbeddedServers) -> None:
    settings = await fresh(servers.bootstrap_servers, stall_after_s=2, drain_s=0.5)

    async def hangs(_: Sequence[Message]) -> Sequence[Outgoing]:
        await asyncio.Event().wait()
        return ()

    consumer = (
        HandlerConsumer("g", [IN], hangs, settings)
        if runtime == "handler"
        else StatefulConsumer("g", IN, lambda _: hangs, settings)
    )
    producer = EventProducer("test", settings.kafka)
    async with living(producer, consumer):
        await asyncio.sleep(3)  # longer than the limit: idle is not stalled
        assert consumer.health().live
        await producer.send(viewed(1))
        await until(lambda: not consumer.health().live, 10)
        assert "no progress" in consumer.health().detail


async def test_a_transaction_at_the_end_of_a_partition_is_no_lag(servers: EmbeddedServers) -> None:
    settings = await fresh(servers.bootstrap_servers, stall_after_s=8)
    publisher = writer(settings.kafka, transactional_id=settings.kafka.topic_prefix)
    await publisher.start()
    try:
        async with publisher.transaction():
            await hand_over(publisher, sending_of(viewed(1), "test", settings.kafka))
    finally:
        await publisher.stop()
    # The topic ends with the transaction's marker, which no reader is ever given.
    go = asyncio.Event()

    def waiting(state: KeyedState) -> Handler:
        count = counting(state)

        async def handle(messages: Sequence[Message]) -> Sequence[Outgoing]:
            await go.wait()
            return await count(messages)

        return handle

    consumer = StatefulConsumer("g", IN, waiting, settings)
    async with living(consumer, ready=False):
        await until(lambda: consumer.health().detail == "lag 2", 30)
        go.set()
        await until(lambda: consumer.health().detail == "lag 0", 12)


async def test_a_handler_that_waits_for_its_worker_is_alive_but_not_ready(servers: EmbeddedServers) -> None:
    settings = await fresh(servers.bootstrap_servers, stall_after_s=6)
    away = True

    async def handler(_: Sequence[Message]) -> Sequence[Outgoing]:
        if away:
            raise UnavailableError("the worker is away")
        return ()

    producer, consumer = EventProducer("test", settings.kafka), HandlerConsumer("g", [IN], handler, settings)
    async with living(producer, consumer):
        await producer.send(viewed(1))
        await until(lambda: not consumer.health().ready, 12)
        assert consumer.health().live
        away = False
        await until(lambda: consumer.health().ready and consumer.health().detail == "lag 0", 12)
