"""The content service as it is joined in production, in this process, on real servers, without a worker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from deploy.content.service import connected
from deploy.local.ports import free_ports
from deploy.local.servers import EmbeddedServers
from rapport.bus.messages import Outgoing
from rapport.bus.producer import EventProducer
from rapport.events.base import Event
from rapport.events.behaviour import Behaviour
from rapport.events.catalog import ProductUpserted
from rapport.ops.roster import Roster
from rapport.testing import random_name
from rapport.vectors.connection import RedisConnection
from services.content.bootstrap import parts
from services.content.settings import ContentSettings
from tests.unit.content.conftest import SHOE

# A database of the shared Redis that these tests may empty.
DATABASE = 9


class Deployment:
    """Topics and a Redis database of its own, and a service that can be ended and begun anew."""

    def __init__(self, servers: EmbeddedServers) -> None:
        (api,) = free_ports(1)
        prefix = random_name("t") + "."
        self.settings = ContentSettings.model_validate(
            {
                "tenant": random_name("shop"),
                "kafka": {
                    "bootstrap_servers": servers.bootstrap_servers, "topic_prefix": prefix, "group_prefix": prefix,
                    "session_timeout_s": 6, "partitions": 2,
                },
                "redis": {"url": servers.redis_url.rsplit("/", 1)[0] + f"/{DATABASE}"},
                "grpc": {"port": api, "drain_s": 0},
                "content": {"attempts": 0, "referee_every_s": 0.2},
            }
        )  # fmt: skip
        self.producer = EventProducer("test", self.settings.kafka)
        self.redis = RedisConnection(self.settings.redis)
        self._service = Roster()
        self._sent = 0

    async def start(self) -> None:
        self._service = Roster()
        self._service.add(parts(self.settings))
        await self._service.start()
        self._service.complete = True

    async def stop(self) -> None:
        await self._service.stop()

    def ready(self) -> bool:
        return all(health.live and health.ready for health in self._service.report().values())

    def detail(self) -> str:
        return str(self._service.report())

    async def call(self, name: str, **request: Any) -> dict[str, Any]:
        async with connected(f"127.0.0.1:{self.settings.grpc.port}") as call:
            return await call(name, request)

    async def send(self, *events: Event) -> None:
        """Publishes behaviour and products, each with an id of its own."""
        outgoing = []
        for event in events:
            self._sent += 1
            if isinstance(event, Behaviour):
                topic, key = "clickstream.v1", event.subject
            else:
                assert isinstance(event, ProductUpserted)
                topic, key = "catalog.v1", event.product_id
            outgoing.append(Outgoing(topic, key, event, f"e-{self._sent}", self.settings.tenant))
        await self.producer.send_many(outgoing)


async def until(true: Callable[[], Any], within_s: float, what: Callable[[], object]) -> Any:
    """Polls until the answer is true, and gives it. Fails with what `what` says when it takes too long."""
    began = time.monotonic()
    while True:
        found = true()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        assert time.monotonic() - began < within_s, f"not within {within_s} s: {what()}"
        await asyncio.sleep(0.05)


@pytest.fixture
async def deployment(servers: EmbeddedServers) -> AsyncIterator[Deployment]:
    """All of it, ready, with a shoe in the catalogue."""
    made = Deployment(servers)
    await made.redis.start()
    await made.start()
    try:
        await made.producer.start()
        await made.send(SHOE)
        await until(made.ready, 60, made.detail)
        yield made
    finally:
        await made.producer.stop()
        await made.stop()
        await made.redis.client.flushdb()
        await made.redis.stop()
