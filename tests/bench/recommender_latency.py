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
import time
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from services.recommender.domain.rules import Wish
from services.recommender.handlers import Answers, Ask, recommend
from tests.bench.figures import Row, percentile, report
from tests.bench.recommender_shop import CUSTOMERS, TENANT, Generated, own_redis

CALLS, WARM_UP = 400, 40
DICE = np.random.default_rng(7)


async def called(answers: Answers, callers: int) -> tuple[list[float], float, float]:
    """Wall milliseconds of each call, CPU milliseconds a call, and candidates in the mean."""
    walls: list[float] = []
    candidates: list[int] = []

    async def caller(calls: int) -> None:
        for _ in range(calls):
            began = time.perf_counter()
            told = await recommend(Ask(TENANT, f"c{DICE.integers(CUSTOMERS)}", Wish(10)), answers)
            walls.append(1000 * (time.perf_counter() - began))
            if len(candidates) < WARM_UP:
                candidates.append(len(answers.blend.pool(told.situation).product_ids))
            assert told.made.strategy == "personalised", told.made.fallbacks
            assert len(told.made.items) == 10

    await caller(WARM_UP)
    walls.clear()
    began = time.process_time()
    await asyncio.gather(*(caller(CALLS // callers) for _ in range(callers)))
    return walls, 1000 * (time.process_time() - began) / len(walls), float(np.mean(candidates))


async def measure(count: int, index: str, callers: list[int]) -> list[Row]:
    """One catalogue."""
    rows: list[Row] = []
    generated = Generated(count)
    async with own_redis() as redis:
        rate = await generated.peopled(redis)
        shop = await generated.opened(index, redis)
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
