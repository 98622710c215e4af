"""What the integration tests of services share: parts that are ended and begun anew, topics of their own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from deploy.local.servers import EmbeddedServers
from rapport.bus.messages import Outgoing
from rapport.bus.producer import EventProducer
from rapport.events.base import Event
from rapport.events.behaviour import Behaviour
from rapport.events.catalog import ProductUpserted
from rapport.events.profiles import ProfileUpdated
from rapport.ops.parts import Part
from rapport.ops.roster import Roster
from rapport.ops.settings import KafkaSettings
from rapport.testing import random_name


def own_settings(servers: EmbeddedServers, database: int, partitions: int) -> dict[str, Any]:
    """A tenant, topics and groups that nobody else uses, and a database of the shared Redis."""
    prefix = random_name("t") + "."
    return {
        "tenant": random_name("shop"),
        "kafka": {
            "bootstrap_servers": servers.bootstrap_servers, "topic_prefix": prefix, "group_prefix": prefix,
            "session_timeout_s": 6, "partitions": partitions,
        },
        "redis": {"url": servers.redis_url.rsplit("/", 1)[0] + f"/{database}"},
    }  # fmt: skip


class Hosted:
    """A process's parts in this process."""

    def __init__(self, parts: Callable[[], Sequence[Part]]) -> None:
        self._parts, self._roster = parts, Roster()

    async def start(self) -> None:
        self._roster = Roster()
        self._roster.add(self._parts())
        await self._roster.start()
        self._roster.complete = True

    async def stop(self) -> None:
        await self._roster.stop()

    def ready(self) -> bool:
        return all(health.live and health.ready for health in self._roster.report().values())

    def detail(self) -> str:
        return str(self._roster.report())


class Sender:
    """Publishes what comes from outside, each event with an id of its own."""

    def __init__(self, settings: KafkaSettings, tenant: str) -> None:
        self.producer, self._tenant, self._sent = EventProducer("test", settings), tenant, 0

    async def send(self, *events: Event) -> None:
        """Behaviour, products and profiles."""
        await self.producer.send_many([self._outgoing(event) for event in events])

    async def delist(self, product_id: str) -> None:
        self._sent += 1
        await self.producer.send(Outgoing("catalog.v1", product_id, None, f"e-{self._sent}", self._tenant))

    def _outgoing(self, event: Event) -> Outgoing:
        self._sent += 1
        match event:
            case Behaviour():
                topic, key = "clickstream.v1", event.subject
            case ProductUpserted():
                topic, key = "catalog.v1", event.product_id
            case _:
                assert isinstance(event, ProfileUpdated)
                topic, key = "profiles.v1", event.customer_id
        return Outgoing(topic, key, event, f"e-{self._sent}", self._tenant)


async def until(true: Callable[[], Awaitable[Any] | Any], within_s: float, what: Callable[[], object]) -> Any:
    """Polls until the answer is true, and gives it. Fails with what `what` says when it takes too long."""
    began = time.monotonic()
    while True:
        found = true()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        assert time.monotonic() - began < within_s, f"not within {within_s} s: {what()}"
        await asyncio.sleep(0.02)
