"""The content service as it is joined in production, in this process, on real servers, without a worker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from deploy.content.service import connected
from deploy.local.ports import free_ports
from deploy.local.servers import EmbeddedServers
from rapport.vectors.connection import RedisConnection
from services.content.bootstrap import parts
from services.content.settings import ContentSettings
from tests.integration.hosting import Hosted, Sender, own_settings, until
from tests.unit.content.conftest import SHOE

# A database of the shared Redis that these tests may empty.
DATABASE = 9


class Deployment:
    """Topics and a Redis database of its own, and a service that can be ended and begun anew."""

    def __init__(self, servers: EmbeddedServers) -> None:
        (api,) = free_ports(1)
        self.settings = ContentSettings.model_validate(
            own_settings(servers, DATABASE, partitions=2)
            | {"grpc": {"port": api, "drain_s": 0}, "content": {"attempts": 0, "referee_every_s": 0.2}}
        )
        self.redis = RedisConnection(self.settings.redis)
        self.service = Hosted(lambda: parts(self.settings))
        self.sender = Sender(self.settings.kafka, self.settings.tenant)

    async def call(self, name: str, **request: Any) -> dict[str, Any]:
        async with connected(f"127.0.0.1:{self.settings.grpc.port}") as call:
            return await call(name, request)


@pytest.fixture
async def deployment(servers: EmbeddedServers) -> AsyncIterator[Deployment]:
    """All of it, ready, with a shoe in the catalogue."""
    made = Deployment(servers)
    await made.redis.start()
    await made.service.start()
    try:
        await made.sender.producer.start()
        await made.sender.send(SHOE)
        await until(made.service.ready, 60, made.service.detail)
        yield made
    finally:
        await made.sender.producer.stop()
        await made.service.stop()
        await made.redis.client.flushdb()
        await made.redis.stop()
