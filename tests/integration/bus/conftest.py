"""Settings with topics of their own on the shared broker, and a producer."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from deploy.local.servers import EmbeddedServers
from rapport.bus.producer import EventProducer
from rapport.ops.settings import Settings
from tests.integration.bus.support import fresh


@pytest.fixture
async def settings(servers: EmbeddedServers) -> Settings:
    return await fresh(servers.bootstrap_servers)


@pytest.fixture
async def producer(settings: Settings) -> AsyncIterator[EventProducer]:
    producer = EventProducer("test", settings.kafka)
    await producer.start()
    yield producer
    await producer.stop()
