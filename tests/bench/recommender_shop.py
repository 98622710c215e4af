"""A generated shop on a real Redis, for the recommender's benches: catalogue, vectors, customers, looks, graph."""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import psutil

from deploy.local.child import Child
from deploy.local.ports import free_ports
from deploy.local.redis_server import RedisServer
from rapport.events.profiles import ProfileUpdated
from rapport.ops.settings import RedisSettings
from rapport.testing import message, viewed
from rapport.vectors.connection import RedisConnection
from rapport.vectors.exact import ExactIndex
from rapport.vectors.keys import Space
from rapport.vectors.projected import ProjectedIndex
from rapport.vectors.search import SearchIndex
from rapport.vectors.serving_copy import ServingCopy
from rapport.vectors.vector_set import VectorSetIndex
from services.recommender.adapters.item_indexes import ItemIndexes
from services.recommender.adapters.redis_counts import RedisCounts
from services.recommender.adapters.redis_memory import RedisMemory
from services.recommender.adapters.redis_pictures import RedisPictures
from services.recommender.adapters.refreshing import Refreshing
from services.recommender.adapters.served_log import RedisServedLog
from services.recommender.bootstrap import policy_of
from services.recommender.domain.catalogue import Catalogues
from services.recommender.domain.graph import NO_GRAPH
from services.recommender.domain.products import product_of
from services.recommender.domain.reactions import NO_STATISTICS
from services.recommender.handlers import Answers, behaviours_seen
from services.recommender.settings import RecommenderSection
from tests.unit.recommender.goods import product, profile
from tests.unit.recommender.memory import MemoryOrders, MemoryServed
from tests.unit.recommender.shop import day_of

TENANT, SPACE, DIMENSIONS, KINDS, CUSTOMERS, LOOKS = "bench", "bench@1", 384, 20, 200, 20_000


@dataclass
class Opened:
    """A shop, and the megabytes that it takes: catalogue with vectors, graph."""

    answers: Answers
    catalogue_mb: float
    graph_mb: float
    graph_s: float
    edges: int


class Generated:
    """The same shop for the same seed."""

    def __init__(self, count: int, seed: int = 3) -> None:
        self.count, self.dice = count, np.random.default_rng(seed)
        self._centres = 2 * self.dice.standard_normal((KINDS, DIMENSIONS))

    def vectors(self, kinds: np.ndarray) -> np.ndarray:
        """Unit vectors around the centres of their kinds, in a narrow cone as E5 gives them."""
        found = self._centres[kinds] + self.dice.standard_normal((len(kinds), DIMENSIONS), np.float32) + 3.0
        unit: np.ndarray = (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)
        return unit

    async def opened(self, index: str, redis: RedisConnection) -> Opened:
        """The shop: one brand for 40 products, one of 1,000 sizes each."""

        def make_index(tenant: str, space: str) -> SearchIndex:
            if index == "vector_set":
                return VectorSetIndex(redis, tenant, "item", Space.parse(space))
            return ExactIndex() if index == "exact" else ProjectedIndex()

        before = _megabytes()
        catalogues, items = Catalogues(), ItemIndexes(make_index)
        items.begin(TENANT, SPACE)
        kinds = np.arange(self.count) % KINDS
        for number in range(self.count):
            title = f"Product number {number} of kind {kinds[number]}, in oak and brass"
            more = {"brand": f"brand {number // 40}", "attributes": {"size": f"size {number % 1000}"}}
            catalogues.put(TENANT, product_of(product(f"p{number}", title, f"kind {kinds[number]}", **more)))
        for begin in range(0, self.count, 5000):
            some = kinds[begin : begin + 5000]
            await items.put(TENANT, [f"p{begin + at}" for at in range(len(some))], self.vectors(some))
        catalogue_mb = _megabytes() - before
        pictures = RedisPictures(redis, catalogues)
        graphs = Refreshing("graph", pictures.graph, catalogues.tenants, NO_GRAPH, 60)
        statistics = Refreshing("statistics", pictures.statistics, catalogues.tenants, NO_STATISTICS, 5)
        before, began = _megabytes(), time.perf_counter()
        await graphs.refresh()
        await statistics.refresh()
        graph_mb, graph_s = _megabytes() - before, time.perf_counter() - began
        answers = Answers(
            catalogues=catalogues,
            items=items,
            memory=RedisMemory(redis, lambda: datetime.now(UTC).date().isoformat()),
            graphs=graphs,
            statistics=statistics,
            served=RedisServedLog(redis, 60),
            policy=policy_of(RecommenderSection()),
            clock=lambda: datetime.now(UTC),
            expires_after=timedelta(hours=6),
            language="en",
        )
        # As the process does once its parts have started.
        gc.collect()
        gc.freeze()
        return Opened(answers, catalogue_mb, graph_mb, graph_s, graphs.of(TENANT).edges)

    async def peopled(self, redis: RedisConnection) -> float:
        """Customers with needs, and looks behind them. The looks counted a second."""
        store, now = ServingCopy(redis), datetime.now(UTC)
        for number in range(CUSTOMERS):
            made, kinds = self.profile(number, 1)
            needs = {"need": {f"c{number}": self.vectors(kinds)}}
            await store.put(TENANT, {"profile": {f"c{number}": made.to_json()}}, needs, Space.parse(SPACE))
        counts, served, began = RedisCounts(redis, TENANT, "bench."), MemoryServed(), time.perf_counter()
        popular = np.minimum(self.dice.zipf(1.3, LOOKS), self.count) - 1
        for begin in range(0, LOOKS, 256):
            looks = [
                message(viewed(f"c{self.dice.integers(CUSTOMERS)}", f"p{popular[at]}"), at, at=now, tenant=TENANT)
                for at in range(begin, min(begin + 256, LOOKS))
            ]
            await behaviours_seen(looks, counts=counts, served=served, orders=MemoryOrders(), day_of=day_of)
        return LOOKS / (time.perf_counter() - began)

    def profile(self, number: int, revision: int) -> tuple[ProfileUpdated, np.ndarray]:
        """A customer with three needs and five recent products, drawn anew each time; the kinds of the needs."""
        kinds = self.dice.choice(KINDS, 3, replace=False)
        recent = [f"p{at}" for at in self.dice.integers(0, self.count, 5)]
        labels = [f"kind {kind}" for kind in kinds]
        made = profile(f"c{number}", labels, revision=revision, encoder=SPACE, recent_product_ids=recent)
        return made, kinds


@asynccontextmanager
async def own_redis() -> AsyncIterator[RedisConnection]:
    """A server of its own on this machine."""
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(Path(folder) / "redis", free_ports(1)[0])
        server.prepare()
        child = Child("redis", server.command(), Path(folder) / "redis.log")
        child.wait_ready(server.ready, 60)
        # A stall of the machine is to be seen in the figures, not to end them.
        redis = RedisConnection(RedisSettings.model_validate({"url": server.url, "timeout_s": 30.0}))
        await redis.start()
        try:
            yield redis
        finally:
            await redis.stop()
            child.stop()


def _megabytes() -> float:
    return float(psutil.Process().memory_info().rss) / 1e6
