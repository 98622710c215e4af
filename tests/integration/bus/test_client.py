"""What a client of Kafka leaves behind when its user is cancelled."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable

import pytest
from aiokafka.conn import AIOKafkaConnection

from deploy.local.servers import EmbeddedServers
from rapport.bus.client import admin, reader, writer
from rapport.ops.settings import KafkaSettings
from rapport.ops.tasks import end
from rapport.testing import random_name

# Cancelled at so many points between the first and the last await of a start and a stop.
CUTS = 25


def _open() -> int:
    gc.collect()
    # Not isinstance: other libraries have objects that warn when they are asked what they are.
    return sum(one.connected() for one in gc.get_objects() if type(one) is AIOKafkaConnection)


async def _reads(settings: KafkaSettings) -> None:
    consumer = reader(settings, group_id=random_name("cut"))
    try:
        await consumer.start()
    finally:
        await consumer.stop()


async def _writes(settings: KafkaSettings) -> None:
    producer = writer(settings)
    try:
        await producer.start()
    finally:
        await producer.stop()


async def _administers(settings: KafkaSettings) -> None:
    async with admin(settings):
        pass


@pytest.mark.parametrize("use", [_reads, _writes, _administers])
async def test_a_cancelled_user_leaves_no_connection_open(
    servers: EmbeddedServers, use: Callable[[KafkaSettings], Awaitable[None]]
) -> None:
    settings = KafkaSettings(bootstrap_servers=servers.bootstrap_servers)
    before = _open()
    began = asyncio.get_running_loop().time()
    await use(settings)
    whole = asyncio.get_running_loop().time() - began
    for cut in range(CUTS):
        task = asyncio.ensure_future(use(settings))
        await asyncio.sleep(whole * cut / CUTS)
        await end(task)
    assert _open() == before
