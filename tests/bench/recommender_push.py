"""What an answer costs the recommender: CPU time of one process for each profile that comes in, by stage.

    python -m tests.bench.recommender_push [--products 300,100000] [--batches 1,16,128] [--profiles 1500] [--ranker]

Protocol: the generated shop of `recommender_shop` on a real Redis, all built-in sources, policy as by default. Profiles
of random customers (three needs, five recent products drawn anew, so that most answers change) are decoded from the
bytes that the profiler writes, handled in batches of the given sizes, and their answers encoded as they are sent: the
whole way but for Kafka. "CPU ms": user and system time of this process by profile, children and Redis left out, so that
other work on the machine matters little. Stages: samples of the stack each millisecond of CPU time, by the innermost
module that belongs to one. "--ranker": with a trained ranker of 100 trees (random data), shown to all.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType

import numpy as np
from threadpoolctl import threadpool_limits

from rapport.bus.messages import Handler, Outgoing
from rapport.bus.records import Record, message_of, sending_of
from rapport.ops.settings import Settings
from rapport.vectors.serving_copy import ServingCopy
from services.recommender.adapters.redis_merges import RedisMerges
from services.recommender.adapters.redis_pushes import RedisPushes
from services.recommender.domain.features import FEATURES
from services.recommender.domain.ranking import Assignment
from services.recommender.handlers import profiles_updated
from services.recommender.learned.ranker import LambdaMart
from tests.bench.figures import Row, report
from tests.bench.recommender_shop import CUSTOMERS, TENANT, Generated, own_redis

GROUP, WARM_UP, SAMPLE_S = "recommender-profiles", 300, 0.001
# The first whose name a module begins with.
STAGES = {
    "rapport.events": "codec", "rapport.bus": "codec", "services.recommender.adapters.redis": "redis",
    "redis": "redis", "rapport.vectors.connection": "redis", "rapport.vectors": "search",
    "services.recommender.adapters.item_indexes": "search", "services.recommender.domain.relevance": "search",
    "services.recommender.domain.graph": "graph", "services.recommender.domain.walks": "graph",
    "services.recommender.domain.sources": "sources", "services.recommender.domain.decay": "sources",
    "services.recommender.domain.blend": "blend", "services.recommender.domain.pool": "blend",
    "services.recommender.domain.features": "ranker", "services.recommender.domain.ranking": "ranker",
    "services.recommender.learned": "ranker", "lightgbm": "ranker",
    "services.recommender.domain.reasons": "reasons", "services.recommender.domain.paths": "reasons",
    "services.recommender.domain.served": "record", "services.recommender.adapters.served_log": "record",
    "services.recommender.domain": "choice", "services.recommender.handlers": "handlers",
}  # fmt: skip


class Stages:
    """Where the CPU time goes."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    @contextmanager
    def watched(self) -> Iterator[None]:
        before = signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, SAMPLE_S, SAMPLE_S)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)

    def _look(self, _signal: int, frame: FrameType | None) -> None:
        while frame is not None:
            name = frame.f_globals.get("__name__", "")
            for begins, stage in STAGES.items():
                if name.startswith(begins):
                    self.seen[stage] += 1
                    return
            frame = frame.f_back
        self.seen["loop"] += 1

    def shares(self, cpu_ms: float) -> dict[str, float]:
        """Milliseconds by stage."""
        total = sum(self.seen.values()) or 1
        names = ["codec", "redis", "search", "graph", "sources", "blend", "ranker", "choice", "reasons", "record"]
        return {name: cpu_ms * self.seen[name] / total for name in [*names, "handlers", "loop"]}


class OneRanker:
    """`Rankers` that show one model to all."""

    def __init__(self) -> None:
        import lightgbm

        dice = np.random.default_rng(1)
        rows = lightgbm.Dataset(dice.random((4000, len(FEATURES))), dice.integers(0, 2, 4000), group=[20] * 200)
        settings = {"objective": "lambdarank", "num_leaves": 31, "verbosity": -1, "num_threads": 1}
        self._assignment = Assignment(LambdaMart("bench@1", lightgbm.train(settings, rows, 100)))

    def of(self, tenant: str, customer_id: str) -> Assignment:
        return self._assignment


def records(shop: Generated, count: int, settings: Settings) -> list[Record]:
    """Profiles as they lie on the topic."""
    found = []
    for number in range(count):
        made, _ = shop.profile(int(shop.dice.integers(CUSTOMERS)), 2 + number)
        outgoing = Outgoing("profiles.v1", made.customer_id, made, f"e-{number}", TENANT)
        sent = sending_of(outgoing, "profiler", settings.kafka)
        at_ms = int(1000 * time.time())
        found.append(Record(sent.topic, 0, number, sent.key, sent.value, sent.headers, at_ms))
    return found


async def handled(found: list[Record], batch: int, handle: Handler, settings: Settings) -> int:
    """The whole way but for Kafka; the answers that were sent."""
    sent = 0
    for begin in range(0, len(found), batch):
        messages = [message_of(record, settings) for record in found[begin : begin + batch]]
        outgoing = await handle(messages)
        sent += len([sending_of(each, GROUP, settings.kafka) for each in outgoing])
    return sent


async def measure(count: int, batches: list[int], profiles: int, ranker: bool) -> list[Row]:
    """One catalogue."""
    rows: list[Row] = []
    settings, shop = Settings(), Generated(count)
    async with own_redis() as redis:
        await shop.peopled(redis)
        answers = (await shop.opened("projected", redis)).answers
        if ranker:
            answers = replace(answers, rankers=OneRanker())
        handle = partial(
            profiles_updated, answers=answers, pushes=RedisPushes(ServingCopy(redis)), merges=RedisMerges(redis),
            items=10,
        )  # fmt: skip
        await handled(records(shop, WARM_UP, settings), 32, handle, settings)
        for batch in batches:
            found, stages = records(shop, profiles, settings), Stages()
            gc.collect()
            began = time.process_time()
            with stages.watched():
                sent = await handled(found, batch, handle, settings)
            cpu_ms = 1000 * (time.process_time() - began) / profiles
            rows.append({"products": count, "batch": batch, "sent": sent, "CPU ms": cpu_ms, **stages.shares(cpu_ms)})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--products", default="300,100000", help="Sizes, comma-separated.")
    parser.add_argument("--batches", default="1,16,128")
    parser.add_argument("--profiles", type=int, default=1500)
    parser.add_argument("--ranker", action="store_true")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows: list[Row] = []
    with threadpool_limits(1, "blas"):  # as `bootstrap` sets it
        for count in map(int, given.products.split(",")):
            sizes = [int(size) for size in given.batches.split(",")]
            rows += asyncio.run(measure(count, sizes, given.profiles, given.ranker))
    report(__doc__ or "", rows, given.json)


if __name__ == "__main__":
    main()
