"""The recommender as a process of its own, and Redis under it, end without warning: every look is counted once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.local.ports import free_ports
from deploy.local.servers import EmbeddedServers
from rapport.bus.messages import Outgoing
from rapport.bus.producer import EventProducer
from rapport.ops.settings import KafkaSettings, RedisSettings
from rapport.testing import message, random_name, viewed
from rapport.testing.events import BEGIN
from rapport.vectors.connection import RedisConnection
from services.recommender.adapters.redis_memory import RedisMemory
from services.recommender.handlers import behaviours_seen
from tests.integration.hosting import until
from tests.integration.profiler.conftest import Process
from tests.integration.recommender.conftest import DATABASE
from tests.unit.recommender.memory import MemoryCounts, MemoryOrders, MemoryServed
from tests.unit.recommender.shop import day_of

TODAY = "2026-03-05"
PRODUCTS = "PQRSTUVW"


class Counting:
    """A recommender process that has no catalogue and only counts."""

    def __init__(self, servers: EmbeddedServers, log: Path) -> None:
        api, ops, worker = free_ports(3)
        prefix, self.tenant = random_name("t") + ".", random_name("shop")
        url = servers.redis_url.rsplit("/", 1)[0] + f"/{DATABASE}"
        self.kafka = KafkaSettings(bootstrap_servers=servers.bootstrap_servers, topic_prefix=prefix)
        self.redis = RedisConnection(RedisSettings.model_validate({"url": url}))
        environment = {
            "KAFKA__BOOTSTRAP_SERVERS": servers.bootstrap_servers,
            "KAFKA__TOPIC_PREFIX": prefix,
            "KAFKA__GROUP_PREFIX": prefix,
            "KAFKA__SESSION_TIMEOUT_S": "6",
            "REDIS__URL": url,
            "TENANT": self.tenant,
            "GRPC__PORT": str(api),
            "OPS__PORT": str(ops),
            "WORKER__ADDRESS": f"127.0.0.1:{worker}",
        }
        self.process = Process("services.recommender", {f"RAPPORT_{name}": v for name, v in environment.items()}, log)

    async def known(self) -> Any:
        return await _known(RedisMemory(self.redis, lambda: TODAY), self.tenant)


@pytest.fixture
async def counting(servers: EmbeddedServers, tmp_path: Path) -> AsyncIterator[Counting]:
    made = Counting(servers, tmp_path / "recommender.log")
    await made.redis.start()
    made.process.start()
    try:
        await until(made.process.ready, 60, lambda: (tmp_path / "recommender.log").read_text()[-2000:])
        yield made
    finally:
        made.process.kill()
        await made.redis.stop()


async def _known(memory: Any, tenant: str) -> Any:
    ties = {}
    for seed in PRODUCTS:
        found, _ = await memory.tied(tenant, seed)
        ties[seed] = {tie.product_id: (round(tie.mark, 6), len(tie.looked)) for tie in found}
    boards = await memory.boards(tenant)
    trending = {product_id: round(mark, 6) for product_id, mark in boards.trending}
    return trending, dict(boards.shoppers_today), boards.clock_ms, ties


@pytest.mark.timeout(240)
async def test_whatever_is_killed_every_look_is_counted_once(counting: Counting, servers: EmbeddedServers) -> None:
    tenant, times = counting.tenant, [BEGIN + timedelta(seconds=7 * number) for number in range(2000)]
    looks = [
        viewed(f"c{number % 20}", PRODUCTS[(number * number + number // 20) % 8], occurred_at=at)
        for number, at in enumerate(times)
    ]
    plain = MemoryCounts()
    seen = [message(look, number, tenant=tenant) for number, look in enumerate(looks)]
    await behaviours_seen(seen, counts=plain, served=MemoryServed(), orders=MemoryOrders(), day_of=day_of)
    expected = await _known(plain, tenant)

    producer = EventProducer("test", counting.kafka)
    await producer.start()
    for begin in range(0, len(looks), 20):
        some = enumerate(looks[begin : begin + 20], begin)
        await producer.send_many(
            [Outgoing("clickstream.v1", look.subject, look, f"e-{at}", tenant) for at, look in some]
        )
        if begin in {400, 1200}:
            counting.process.kill()
            counting.process.start()
        if begin == 800:
            servers.kill_redis()
            servers.start_redis()
        await asyncio.sleep(0.05)  # 400 looks/s, so that the kills fall into the stream
    await producer.stop()

    async def counted() -> bool:
        return bool(await counting.known() == expected)

    await until(counted, 60, lambda: "the counts differ")
    assert counting.process.stop() == 0
