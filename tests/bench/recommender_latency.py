"""How long Recommend takes in process, and what it keeps in memory, by size of the catalogue, callers and index.

    python -m tests.bench.recommender_latency [--products 1000,100000] [--callers 1,16] [--index projected,exact]

Protocol: generated catalogue (20 kinds, 384 numbers a product, clustered by kind), a real Redis on this machine, 200
customers with three needs and five recent products each, 20,000 looks counted before; the product graph is built; all
built-in sources are on, and policy as by default (diversity, exploration, price fit). Then 400 calls of the handler for
random customers, after 40 to warm up, by one caller in turn, or sixteen at once in this one process. "candidates": in
the mean, what the sources gave together. Wall time of each call, and beside it the CPU time of this process by call.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import psutil
from threadpoolctl import threadpool_limits

from deploy.local.child import Child
from deploy.local.ports import free_ports
from deploy.local.redis_server import RedisServer
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
from services.recommender.domain.rules import Wish
from services.recommender.handlers import Answers, Ask, behaviours_seen, recommend
from services.recommender.settings import RecommenderSection
from tests.bench.figures import Row, percentile, report
from tests.unit.recommender.conftest import MemoryServed, day_of, product, profile

TENANT, SPACE, DIMENSIONS, KINDS, CUSTOMERS, LOOKS, CALLS, WARM_UP = "bench", "bench@1", 384, 20, 200, 20_000, 400, 40
RANDOM = np.random.default_rng(3)


@dataclass
class Opened:
    """A shop, and the megabytes that it takes: catalogue with vectors, graph."""

    answers: Answers
    catalogue_mb: float
    graph_mb: float
    graph_s: float
    edges: int


def vectors(kinds: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Unit vectors around the centres of their kinds, in a narrow cone as E5 gives them."""
    found = centres[kinds] + RANDOM.standard_normal((len(kinds), DIMENSIONS), np.float32) + 3.0
    unit: np.ndarray = (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)
    return unit


async def opened(count: int, index: str, redis: RedisConnection, centres: np.ndarray) -> Opened:
    """A shop of `count` products; one brand for 40 products, one of 1,000 sizes each."""

    def make_index(tenant: str, space: str) -> SearchIndex:
        if index == "vector_set":
            return VectorSetIndex(redis, tenant, "item", Space.parse(space))
        return ExactIndex() if index == "exact" else ProjectedIndex()

    before = psutil.Process().memory_info().rss
    catalogues, items = Catalogues(), ItemIndexes(make_index)
    items.begin(TENANT, SPACE)
    kinds = np.arange(count) % KINDS
    for number in range(count):
        title = f"Product number {number} of kind {kinds[number]}, in oak and brass"
        more = {"brand": f"brand {number // 40}", "attributes": {"size": f"size {number % 1000}"}}
        catalogues.put(TENANT, product_of(product(f"p{number}", title, f"kind {kinds[number]}", **more)))
    for begin in range(0, count, 5000):
        some = kinds[begin : begin + 5000]
        await items.put(TENANT, [f"p{begin + at}" for at in range(len(some))], vectors(some, centres))
    catalogue_mb = (psutil.Process().memory_info().rss - before) / 1e6
    pictures = RedisPictures(redis, catalogues)
    graphs = Refreshing("graph", pictures.graph, catalogues.tenants, NO_GRAPH, 60)
    statistics = Refreshing("statistics", pictures.statistics, catalogues.tenants, NO_STATISTICS, 5)
    before, began = psutil.Process().memory_info().rss, time.perf_counter()
    await graphs.refresh()
    await statistics.refresh()
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
    graph_mb = (psutil.Process().memory_info().rss - before) / 1e6
    return Opened(answers, catalogue_mb, graph_mb, time.perf_counter() - began, graphs.of(TENANT).edges)


async def peopled(count: int, redis: RedisConnection, centres: np.ndarray) -> float:
    """Customers with needs, and looks behind them. The looks counted a second."""
    store, now = ServingCopy(redis), datetime.now(UTC)
    for number in range(CUSTOMERS):
        kinds = RANDOM.choice(KINDS, 3, replace=False)
        recent = [f"p{at}" for at in RANDOM.integers(0, count, 5)]
        made = profile(f"c{number}", [f"kind {kind}" for kind in kinds], encoder=SPACE, recent_product_ids=recent)
        needs = {"need": {f"c{number}": vectors(kinds, centres)}}
        await store.put(TENANT, {"profile": {f"c{number}": made.to_json()}}, needs, Space.parse(SPACE))
    counts, served, began = RedisCounts(redis, TENANT, "bench."), MemoryServed(), time.perf_counter()
    popular = np.minimum(RANDOM.zipf(1.3, LOOKS), count) - 1
    for begin in range(0, LOOKS, 256):
        looks = [
            message(viewed(f"c{RANDOM.integers(CUSTOMERS)}", f"p{popular[at]}"), at, at=now, tenant=TENANT)
            for at in range(begin, min(begin + 256, LOOKS))
        ]
        await behaviours_seen(looks, counts=counts, served=served, day_of=day_of)
    return LOOKS / (time.perf_counter() - began)


async def called(answers: Answers, callers: int) -> tuple[list[float], float, float]:
    """Wall milliseconds of each call, CPU milliseconds a call, and candidates in the mean."""
    walls: list[float] = []
    candidates: list[int] = []

    async def caller(calls: int) -> None:
        for _ in range(calls):
            began = time.perf_counter()
            told = await recommend(Ask(TENANT, f"c{RANDOM.integers(CUSTOMERS)}", Wish(10)), answers)
            walls.append(1000 * (time.perf_counter() - began))
            candidates.append(len(answers.blend.candidates(told.situation)) if len(candidates) < 20 else 0)
            assert told.made.strategy == "personalised", told.made.fallbacks
            assert len(told.made.items) == 10

    await caller(WARM_UP)
    walls.clear()
    began = time.process_time()
    await asyncio.gather(*(caller(CALLS // callers) for _ in range(callers)))
    return walls, 1000 * (time.process_time() - began) / len(walls), float(np.mean(candidates[:20]))


async def measure(count: int, index: str, callers: list[int]) -> list[Row]:
    """One catalogue."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(Path(folder) / "redis", free_ports(1)[0])
        server.prepare()
        child = Child("redis", server.command(), Path(folder) / "redis.log")
        child.wait_ready(server.ready, 20)
        redis = RedisConnection(RedisSettings.model_validate({"url": server.url}))
        await redis.start()
        centres = 2 * RANDOM.standard_normal((KINDS, DIMENSIONS))
        rate = await peopled(count, redis, centres)
        shop = await opened(count, index, redis, centres)
        for number in callers:
            walls, cpu, candidates = await called(shop.answers, number)
            rows.append(
                {
                    "products": count, "index": index, "callers": number, "candidates": candidates,
                    "p50 ms": percentile(walls, 0.5), "p99 ms": percentile(walls, 0.99), "CPU ms": cpu,
                    "catalogue MB": shop.catalogue_mb, "graph edges": shop.edges, "graph MB": shop.graph_mb,
                    "graph s": shop.graph_s, "looks/s": rate,
                }
            )  # fmt: skip
        await redis.stop()
        child.stop()
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--products", default="1000,100000", help="Sizes, comma-separated.")
    parser.add_argument("--callers", default="1,16")
    parser.add_argument("--index", default="projected")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows: list[Row] = []
    with threadpool_limits(1, "blas"):  # as `bootstrap` sets it
        for count in map(int, given.products.split(",")):
            for index in given.index.split(","):
                rows += asyncio.run(measure(count, index, [int(number) for number in given.callers.split(",")]))
    report(__doc__ or "", rows, given.json)


if __name__ == "__main__":
    main()
