"""What the tests of the bus share: settings of their own, events, handlers, and waiting without sleeping."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from rapport.bus.client import topic_name
from rapport.bus.messages import Handler, KeyedState, Message, Outgoing
from rapport.bus.reading import read_topic
from rapport.bus.records import Record
from rapport.bus.topics import ensure_topics
from rapport.events.behaviour import ProductViewed
from rapport.events.recommendations import RecommendationMade
from rapport.events.topics import topic_named
from rapport.ops.parts import Part
from rapport.ops.settings import KafkaSettings, Settings

IN, OUT = "clickstream.v1", "recommendations.v1"


def settings_on(address: str, **kafka: Any) -> Settings:
    """Topics and groups under a name of their own; a dead member is noticed as soon as the broker allows."""
    prefix = f"t{uuid.uuid4().hex[:8]}."
    given = {"partitions": 3, "session_timeout_s": 6, "drain_s": 3} | kafka
    return Settings(kafka=KafkaSettings(bootstrap_servers=address, topic_prefix=prefix, group_prefix=prefix, **given))


async def fresh(address: str, **kafka: Any) -> Settings:
    """`settings_on`, with the topics made."""
    settings = settings_on(address, **kafka)
    await ensure_topics(settings.kafka, [topic_named(IN), topic_named(OUT)])
    return settings


def viewed(number: int, customers: int = 10) -> Outgoing:
    """Event `number`, of one of so many customers in turn."""
    customer = f"c{number % customers}"
    return Outgoing(IN, customer, ProductViewed(customer_id=customer, product_id=f"p{number}"), f"e{number}", "default")


def answer(message: Message, name: str) -> Outgoing:
    """An output with the id `name`, for the customer of `message`."""
    now = datetime.now(UTC)
    event = RecommendationMade(
        recommendation_id=name, customer_id=message.key, items=(), strategy="popular", created_at=now, expires_at=now
    )
    return Outgoing(OUT, message.key, event, name, message.envelope.tenant)


async def echo(messages: Sequence[Message]) -> Sequence[Outgoing]:
    """A handler: one output for each event."""
    return [answer(message, f"out-{message.envelope.id}") for message in messages]


def counting(state: KeyedState) -> Handler:
    """A handler that counts each key's events; the output's id says the count: c3-17."""

    async def handle(messages: Sequence[Message]) -> Sequence[Outgoing]:
        outputs = []
        for message in messages:
            count = int(state.get(message.key) or 0)
            if not state.includes(message.key, message.position):
                count += 1
                state.put(message.key, str(count).encode(), message.position)
            outputs.append(answer(message, f"{message.key}-{count}"))
        return outputs

    return handle


@asynccontextmanager
async def living(*parts: Part, ready: bool = True) -> AsyncIterator[None]:
    """The parts started, and ready, for the length of the block."""
    try:
        for part in parts:
            await part.start()
        if ready:
            await until(lambda: all(part.health().ready for part in parts), 30)
        yield
    finally:
        for part in reversed(parts):
            await part.stop()


async def until(true: Callable[[], bool], within_s: float) -> None:
    """Returns when `true()`, fails when that takes too long."""
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, f"not so within {within_s} s"
        await asyncio.sleep(0.02)


async def records_on(settings: Settings, topic: str) -> list[Record]:
    """All committed records of a registered topic."""
    return [record async for record in read_topic(settings.kafka, topic_name(settings.kafka, topic))]


async def ids_on(settings: Settings, topic: str = OUT) -> Counter[str]:
    """How often each event id lies on a topic."""
    return Counter(record.header("ce_id") or "" for record in await records_on(settings, topic))


async def ids_until(settings: Settings, wanted: set[str], within_s: float) -> Counter[str]:
    """The ids on the output topic, once all wanted ones are there."""
    deadline = time.monotonic() + within_s
    while True:
        found = await ids_on(settings)
        if wanted <= found.keys():
            return found
        assert time.monotonic() < deadline, (
            f"{len(wanted - found.keys())} of {len(wanted)} missing: {sorted(wanted - found.keys())[:5]}"
        )
        await asyncio.sleep(0.3)
