"""The broker goes away under load and comes back: every consumer and the view go on, with nothing lost or doubled."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from deploy.local.servers import EmbeddedServers
from rapport.bus import producer as producing
from rapport.bus.consumer import HandlerConsumer
from rapport.bus.messages import Message, Outgoing
from rapport.bus.producer import EventProducer
from rapport.bus.stateful import StatefulConsumer
from rapport.bus.view import TopicView
from rapport.ops.errors import UnavailableError
from tests.integration.bus.support import IN, OUT, counting, echo, fresh, ids_on, ids_until, living, until, viewed

EVENTS = 600


@pytest.mark.parametrize("runtime", ["faust", "aiokafka"])
async def test_a_broker_that_restarts_under_load(runtime: str, servers: EmbeddedServers) -> None:
    settings = await fresh(servers.bootstrap_servers, stateful_runtime=runtime)
    seen: set[str] = set()

    async def apply(messages: Sequence[Message]) -> None:
        seen.update(message.envelope.id for message in messages)

    parts = (
        EventProducer("test", settings.kafka),
        HandlerConsumer("plain", [IN], echo, settings, max_batch=20),
        StatefulConsumer("keyed", IN, counting, settings, max_batch=20),
        TopicView("test", OUT, apply, settings),
    )
    async with living(*parts):
        sending = asyncio.create_task(_send_all(parts[0]))
        await until(lambda: len(seen) > 100, 30)
        await asyncio.to_thread(servers.stop_broker if runtime == "faust" else servers.kill_broker)
        await asyncio.sleep(1)  # the load goes on against a broker that is away
        await asyncio.to_thread(servers.start_broker)
        await sending
        plain = {f"out-e{number}" for number in range(EVENTS)}
        keyed = {f"c{customer}-{count + 1}" for customer in range(10) for count in range(EVENTS // 10)}
        found = await ids_until(settings, plain | keyed, 60)
        assert found.keys() == plain | keyed
        assert set(found.values()) == {1}
        await until(lambda: seen == plain | keyed, 30)
        await until(lambda: all(part.health().ready for part in parts), 30)
        assert all(part.health().live for part in parts)


async def test_a_publisher_goes_on_after_events_that_it_had_to_give_up(
    servers: EmbeddedServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(producing, "_ANSWER_WITHIN_S", 3.0)
    settings = await fresh(servers.bootstrap_servers)
    producer = EventProducer("test", settings.kafka)
    async with living(producer):
        await producer.send(viewed(0))
        stopping = asyncio.create_task(asyncio.to_thread(servers.stop_broker))
        try:
            # Under way while it goes, as at a gateway: some are handed over and then given up.
            lost = [asyncio.create_task(_send(producer, number / 100, number)) for number in range(1, 600)]
            gave_up = await asyncio.gather(*lost, return_exceptions=True)
        finally:
            await stopping
            await asyncio.to_thread(servers.start_broker)
        assert any(isinstance(one, UnavailableError) for one in gave_up)
        after = {f"e{number}" for number in range(1000, 1030)}
        async with asyncio.timeout(30):
            for number in range(1000, 1030):
                await _send_until_taken(producer, [viewed(number)])
    assert after <= (await ids_on(settings, IN)).keys()


async def _send(producer: EventProducer, after_s: float, number: int) -> None:
    await asyncio.sleep(after_s)
    await producer.send(viewed(number))


async def _send_all(producer: EventProducer) -> None:
    """Sends again what the broker did not confirm: some of it may then be there twice, under the same id."""
    for first in range(0, EVENTS, 20):
        await _send_until_taken(producer, [viewed(number) for number in range(first, first + 20)])
        await asyncio.sleep(0.1)


async def _send_until_taken(producer: EventProducer, events: Sequence[Outgoing]) -> None:
    while True:
        try:
            return await producer.send_many(events)
        except UnavailableError:
            await asyncio.sleep(0.2)
