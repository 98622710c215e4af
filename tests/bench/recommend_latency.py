"""How long Recommend takes in process, and what it keeps in memory: `python -m tests.bench.recommend_latency 300`.

Protocol: generated catalogue (20 kinds, 384 numbers a product, clustered by kind), exact index, a real Redis on this
machine, 200 customers with three needs and five recent products each, 20,000 looks counted before. Then 500 sequential
calls of the handler for random customers, after 50 to warm up. Wall time, and beside it the CPU time of this process,
which says the same on a machine that is busy with other things.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import psutil
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from deploy.local.child import Child
from deploy.local.ports import free_ports
from deploy.local.redis_server import RedisServer
from rapport.ops.settings import RedisSettings
from rapport.testing import message, viewed
from rapport.vectors.connection import RedisConnection
from rapport.vectors.exact import ExactIndex
from rapport.vectors.keys import Space
from rapport.vectors.serving_copy import ServingCopy
from services.recommender.adapters.item_indexes import ItemIndexes
from services.recommender.adapters.redis_counts import RedisCounts
from services.recommender.adapters.redis_memory import RedisMemory
from services.recommender.domain.catalogue import Catalogues
from services.recommender.domain.products import product_of
from services.recommender.domain.rules import Policy, Wish
from services.recommender.handlers import Answers, Ask, behaviours_seen, recommend
from tests.unit.recommender.conftest import day_of, product, profile

TENANT, SPACE, DIMENSIONS, KINDS, CUSTOMERS, LOOKS, CALLS = "bench", "bench@1", 384, 20, 200, 20_000, 500
RANDOM = np.random.default_rng(3)


def vectors(kinds: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Unit vectors around the centres of their kinds, in a narrow cone as E5 gives them."""
    found = centres[kinds] + RANDOM.standard_normal((len(kinds), DIMENSIONS)) + 3.0
    unit: np.ndarray = (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)
    return unit


async def opened(count: int, redis: RedisConnection, centres: np.ndarray) -> tuple[Answers, float]:
    """A shop of `count` products, and the megabytes that it takes."""
    before = psutil.Process().memory_info().rss
    catalogues, items = Catalogues(), ItemIndexes(lambda _tenant, _space: ExactIndex())
    items.begin(TENANT, SPACE)
    kinds = np.arange(count) % KINDS
    for number in range(count):
        title = f"Product number {number} of kind {kinds[number]}, in oak and brass"
        catalogues.put(TENANT, product_of(product(f"p{number}", title, f"kind {kinds[number]}")))
    for begin in range(0, count, 5000):
        some = kinds[begin : begin + 5000]
        await items.put(TENANT, [f"p{begin + at}" for at in range(len(some))], vectors(some, centres))
    memory = (psutil.Process().memory_info().rss - before) / 1e6
    today = RedisMemory(redis, lambda: datetime.now(UTC).date().isoformat())
    answers = Answers(catalogues, items, today, Policy(), lambda: datetime.now(UTC), timedelta(hours=6), "en")
    return answers, memory


async def peopled(count: int, redis: RedisConnection, centres: np.ndarray) -> float:
    """Customers with needs, and looks behind them. The looks counted a second."""
    store, now = ServingCopy(redis), datetime.now(UTC)
    for number in range(CUSTOMERS):
        kinds = RANDOM.choice(KINDS, 3, replace=False)
        recent = [f"p{at}" for at in RANDOM.integers(0, count, 5)]
        made = profile(f"c{number}", [f"kind {kind}" for kind in kinds], encoder=SPACE, recent_product_ids=recent)
        needs = {"need": {f"c{number}": vectors(kinds, centres)}}
        await store.put(TENANT, {"profile": {f"c{number}": made.to_json()}}, needs, Space.parse(SPACE))
    counts, began = RedisCounts(redis, TENANT, "bench."), time.perf_counter()
    popular = np.minimum(RANDOM.zipf(1.3, LOOKS), count) - 1
    for begin in range(0, LOOKS, 256):
        looks = [
            message(viewed(f"c{RANDOM.integers(CUSTOMERS)}", f"p{popular[at]}"), at, at=now, tenant=TENANT)
            for at in range(begin, min(begin + 256, LOOKS))
        ]
        await behaviours_seen(looks, counts=counts, day_of=day_of)
    return LOOKS / (time.perf_counter() - began)


async def measure(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(Path(folder) / "redis", free_ports(1)[0])
        server.prepare()
        child = Child("redis", server.command(), Path(folder) / "redis.log")
        child.wait_ready(server.ready, 20)
        redis = RedisConnection(RedisSettings.model_validate({"url": server.url}))
        await redis.start()
        centres = 2 * RANDOM.standard_normal((KINDS, DIMENSIONS))
        answers, memory = await opened(count, redis, centres)
        rate = await peopled(count, redis, centres)
        took = []
        for _ in range(CALLS + 50):
            began = np.array((time.perf_counter(), time.process_time()))
            made = await recommend(Ask(TENANT, f"c{RANDOM.integers(CUSTOMERS)}", Wish(10)), answers)
            took.append(np.array((time.perf_counter(), time.process_time())) - began)
            assert made.strategy == "personalised", made.fallbacks
            assert len(made.items) == 10
        (wall, cpu), (wall99, cpu99) = (np.percentile(took[50:], at, axis=0) * 1e3 for at in (50, 99))
        print(
            f"{count} products: wall p50 {wall:.1f} ms, p99 {wall99:.1f}; CPU p50 {cpu:.1f} ms, p99 {cpu99:.1f}; "
            f"{memory:.0f} MB; {rate:.0f} looks/s counted"
        )
        await redis.stop()
        child.stop()


if __name__ == "__main__":
    with threadpool_limits(1, "blas"):  # as `bootstrap` sets it
        for products in map(int, sys.argv[1:] or ("300", "50000")):
            asyncio.run(measure(products))
