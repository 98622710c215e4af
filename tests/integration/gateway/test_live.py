"""The live view on a real broker: reads while somebody looks, and counts without reading."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from deploy.local.servers import EmbeddedServers
from rapport.bus.producer import EventProducer
from rapport.ops.settings import Settings
from services.gateway.adapters.live import LiveTail
from tests.integration.bus.support import IN, OUT, fresh, living, viewed


@pytest.fixture
async def settings(servers: EmbeddedServers) -> Settings:
    return await fresh(servers.bootstrap_servers)


@pytest.fixture
async def live(settings: Settings) -> AsyncIterator[LiveTail]:
    tail = LiveTail(settings.kafka, (IN, OUT))
    async with living(tail):
        yield tail


async def test_a_viewer_sees_what_comes_and_counts_need_no_viewer(settings: Settings, live: LiveTail) -> None:
    assert await live.counts() == {IN: 0, OUT: 0}
    producer = EventProducer("shop", settings.kafka)
    async with living(producer), asyncio.timeout(30):
        await producer.send_many([viewed(number) for number in range(5)])
        assert await live.counts() == {IN: 5, OUT: 0}
        seen: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

        async def look() -> None:
            async with aclosing(live.watch()) as messages:  # type: ignore[type-var]
                async for message in messages:
                    seen.put_nowait(message)

        looking = asyncio.create_task(look())
        # From now on: sent again and again until the reader has found the topic's end.
        number = 100
        while seen.empty():
            await producer.send_many([viewed(number)])
            number += 1
            await asyncio.sleep(0.2)
        message = await seen.get()
        assert (message["topic"], message["type"]) == (IN, "rapport.product_viewed.v1")
        assert int(message["data"]["product_id"][1:]) >= 100
        looking.cancel()
        await asyncio.wait({looking})
    assert live.health().live
