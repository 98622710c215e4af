"""The chatbot as it is bootstrapped, with its worker, on the shared broker and Redis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from deploy.local.servers import EmbeddedServers
from rapport.bus.messages import Outgoing
from rapport.bus.producer import EventProducer
from rapport.bus.reading import read_topic
from rapport.bus.records import message_of
from rapport.bus.topics import ensure_topics
from rapport.contracts.chatbot.v1 import chat_service_pb2 as wire
from rapport.contracts.chatbot.v1.chat_service_pb2_grpc import ChatServiceStub
from rapport.events.base import Event
from rapport.events.codec import key_of
from rapport.events.topics import TOPICS
from rapport.ops.parts import Part
from rapport.ops.roster import Roster
from rapport.ops.settings import KafkaSettings, ModelSettings, PeerSettings, RedisSettings, Settings, WorkerSettings
from rapport.testing import random_name
from services.chatbot import bootstrap, worker
from services.chatbot.settings import ChatbotSection, ChatbotSettings

# A busy machine takes minutes to load the small models.
READY_S = 240.0


async def until(true: Callable[[], Awaitable[bool]], within_s: float, what: str) -> None:
    """Polls; fails with `what` when it takes too long."""
    deadline = time.monotonic() + within_s
    while not await true():
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        await asyncio.sleep(0.05)


@asynccontextmanager
async def running(parts: Sequence[Part]) -> AsyncIterator[dict[str, str]]:
    """Started and ready; their addresses."""
    roster = Roster()
    roster.add(parts)

    async def ready() -> bool:
        return all(part.health().ready for part in parts)

    try:
        await roster.start()
        await until(ready, READY_S, "ready")
        yield roster.addresses()
    finally:
        await roster.stop()


@dataclass
class Desk:
    """A customer's and a platform team's view of a running chatbot."""

    settings: ChatbotSettings
    producer: EventProducer
    address: str = ""

    async def publish(self, *events: Event, ids: Sequence[str] | None = None) -> None:
        """Under random ids unless told otherwise."""
        await self.producer.send_many(
            [
                Outgoing(topic.name, key_of(topic, event), event, id_, self.settings.tenant)
                for event, id_ in zip(events, ids or [random_name("e") for _ in events], strict=True)
                for topic in TOPICS.values()
                if type(event) in topic.events
            ]
        )

    async def withdraw(self, topic: str, key: str) -> None:
        await self.producer.send(Outgoing(topic, key, None, random_name("e"), self.settings.tenant))

    async def read(self, topic: str) -> list[Any]:
        """All events on a topic so far."""
        kafka = self.settings.kafka
        records = [record async for record in read_topic(kafka, kafka.topic_prefix + topic)]
        messages = [message_of(record, self.settings) for record in records]
        return [message.event for message in sorted(messages, key=lambda message: message.timestamp_ms)]

    async def reply_to(self, message_id: str, within_s: float = 20) -> Any:
        """The reply on the topic, awaited."""
        replies: list[Any] = []

        async def there() -> bool:
            replies[:] = [one for one in await self.read("chat.replies.v1") if one.in_reply_to == message_id]
            return bool(replies)

        await until(there, within_s, f"a reply to {message_id}")
        assert len(replies) == 1
        return replies[0]

    async def converse(self, text: str, **more: str) -> tuple[list[str], wire.Reply]:
        fields = {"conversation_id": random_name("t"), "message_id": random_name("m"), "text": text} | more
        async with grpc.aio.insecure_channel(self.address) as channel:
            call = ChatServiceStub(channel).Converse(wire.ConverseRequest(**fields), timeout=20)
            answers = [answer async for answer in call]
        return [answer.text for answer in answers[:-1]], answers[-1].reply


@asynccontextmanager
async def opened(
    servers: EmbeddedServers, backend: str, articles: Sequence[Event] = (), *, cache: Path | None = None, **own: Any
) -> AsyncIterator[tuple[Desk, Sequence[Part]]]:
    """A desk and its running chatbot; and the parts of the worker, which the test may stop. `cache`: for models."""
    prefix = random_name("t") + "."
    kafka = KafkaSettings(
        bootstrap_servers=servers.bootstrap_servers, topic_prefix=prefix, group_prefix=prefix, partitions=2
    )
    redis = RedisSettings.model_validate({"url": servers.redis_url})
    base: dict[str, Any] = {"kafka": kafka, "redis": redis, "tenant": random_name("shop")}
    if cache is not None:
        base["models"] = ModelSettings(cache=cache)
    models = {"worker": WorkerSettings.model_validate({"backend": backend})}
    worker_parts = worker.parts(Settings.model_validate(base | models))
    async with running(worker_parts) as addresses:
        settings = ChatbotSettings.model_validate(
            base
            | {
                "worker": WorkerSettings(address=addresses["grpc"]),
                "services": PeerSettings(recommender="127.0.0.1:1", profiler="127.0.0.1:1"),
                "grpc": {"port": 0},
                "chatbot": ChatbotSection(**own),
            }
        )
        producer = EventProducer("test", kafka)
        desk = Desk(settings, producer)
        await ensure_topics(kafka, TOPICS.values())
        await producer.start()
        await desk.publish(*articles)
        async with running(bootstrap.parts(settings)) as told:
            desk.address = told["chatbot"]
            yield desk, worker_parts
        await producer.stop()


@pytest.fixture
async def desk(servers: EmbeddedServers) -> AsyncIterator[Desk]:
    """Without weights."""
    from tests.unit.chatbot.conftest import ARTICLES

    async with opened(servers, "dummy", ARTICLES) as (made, _):
        yield made
