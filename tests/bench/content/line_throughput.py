"""Recommendation copy: how many lines a second, with the cache and without, and how long each waits at a given rate.

Protocol: recommendations over the demo catalogue, products drawn by Zipf's law, needs from the product's category;
the service's own handler in batches of 64, as its consumer gives them; templates write (the model words lines in the
background and holds nothing up). `cold`: every line is new. `warm`: every line is in the cache. `paced`: `--rate` a
second for `--seconds`, cache empty at first; time from a recommendation's arrival to its line, waiting for the batch
before it included. The cache is in memory, or Redis with `--redis`. CPU: process time a line.

    python -m tests.bench.content.line_throughput [--redis redis://127.0.0.1:6379/0]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from rapport.bus.messages import Message, Position
from rapport.events.catalog import ProductUpserted
from rapport.events.envelope import Envelope
from rapport.events.recommendations import RankedItem, Reason, RecommendationMade
from rapport.ops.settings import RedisSettings
from rapport.vectors.connection import RedisConnection
from services.content.adapters.memory import RedisLines
from services.content.domain.checks import Checker
from services.content.domain.templates import Templates
from services.content.handlers.lines import LineHandlers
from services.content.ports import LineCache
from services.content.settings import ContentSection
from services.content.writing import Copywriter
from tests.bench.content.catalogue import demo
from tests.bench.content.memory import Shelf, Unranked
from tests.bench.content.texts import Silent
from tests.bench.figures import percentile, report

BATCH = 64


class Dictionary:
    """`LineCache` in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    async def get_many(self, tenant: str, keys: Sequence[str]) -> list[str | None]:
        return [self.kept.get(key) for key in keys]

    async def put(self, tenant: str, key: str, text: str) -> None:
        self.kept[key] = text


class Nothing:
    """A `LineCache` that never has anything."""

    async def get_many(self, tenant: str, keys: Sequence[str]) -> list[str | None]:
        return [None for _ in keys]

    async def put(self, tenant: str, key: str, text: str) -> None:
        """Nothing is kept."""


def recommendations(products: Sequence[ProductUpserted], count: int, seed: int) -> list[Message]:
    chance, now = random.Random(seed), datetime.now(UTC)
    weights = [1 / (rank + 1) for rank in range(len(products))]
    made = []
    for number, product in enumerate(chance.choices(products, weights, k=count)):
        chinese = chance.random() < 0.4
        need = product.category[-1] if product.category else ""
        reason = Reason(kind="need", text="符合您的兴趣。" if chinese else "Fits your interest.", subject=need)
        event = RecommendationMade(
            recommendation_id=f"r-{number}", customer_id=f"c-{number}", strategy="personalised", created_at=now,
            items=(RankedItem(product_id=product.product_id, score=1.0, reasons=(reason,)),),
            expires_at=now + timedelta(hours=1),
        )  # fmt: skip
        envelope = Envelope(f"e-{number}", event.ce_type(), "/bench", now, "default")
        made.append(Message(event, envelope, f"c-{number}", Position("t", 0, number), 0))
    return made


async def flat_out(handlers: LineHandlers, messages: Sequence[Message]) -> dict[str, Any]:
    wall, cpu, lines = time.perf_counter(), time.process_time(), 0
    for start in range(0, len(messages), BATCH):
        lines += len(await handlers.on_recommendations(messages[start : start + BATCH]))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"lines": lines, "lines/s": lines / wall, "CPU ms a line": 1000 * cpu / lines}


async def paced(handlers: LineHandlers, messages: Sequence[Message], rate: float) -> dict[str, Any]:
    """Each message arrives at its time; the handler takes all that have arrived, as a consumer does."""
    began, at, waits, cpu = time.perf_counter(), 0, [], time.process_time()
    while at < len(messages):
        arrived = min(len(messages), int((time.perf_counter() - began) * rate) + 1, at + BATCH)
        if arrived <= at:
            await asyncio.sleep(0.001)
            continue
        await handlers.on_recommendations(messages[at:arrived])
        done = time.perf_counter() - began
        waits += [done - number / rate for number in range(at, arrived)]
        at = arrived
    cpu = time.process_time() - cpu
    return {
        "lines": len(waits), "lines/s": len(waits) / (time.perf_counter() - began),
        "CPU ms a line": 1000 * cpu / len(waits),
        "p50 ms": 1000 * percentile(waits, 0.5), "p99 ms": 1000 * percentile(waits, 0.99),
    }  # fmt: skip


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--redis", help="URL; left out: in memory")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--report", type=Path)
    given = parser.parse_args()
    own, products = ContentSection(), demo()
    copywriter = Copywriter(
        Templates.load(own.templates), Checker.load(own.rules, own.lexicon), Silent(), Unranked(), 0, frozenset()
    )
    async with AsyncExitStack() as stack:

        async def cache() -> LineCache:
            if not given.redis:
                return Dictionary()
            redis = RedisConnection(RedisSettings(url=SecretStr(given.redis)))
            await redis.start()
            stack.push_async_callback(redis.stop)
            return RedisLines(redis, 60)

        def handlers(lines: LineCache) -> LineHandlers:
            return LineHandlers(copywriter, Shelf(products), lines, asyncio.Queue(1), "en")

        messages = recommendations(products, given.count, 7)
        shared = await cache()
        rows = [{"run": "without the cache", **await flat_out(handlers(Nothing()), messages)}]
        await flat_out(handlers(shared), messages)
        rows.append({"run": "with the cache, warm", **await flat_out(handlers(shared), messages)})
        some = recommendations(products, int(given.rate * given.seconds), 8)
        rows.append(
            {"run": f"{given.rate:.0f}/s without the cache", **await paced(handlers(Nothing()), some, given.rate)}
        )
        rows.append(
            {"run": f"{given.rate:.0f}/s with the cache", **await paced(handlers(await cache()), some, given.rate)}
        )
    report(__doc__ or "", rows, given.report)


if __name__ == "__main__":
    asyncio.run(main())
