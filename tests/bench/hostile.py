"""Mixed hostile requests against the chatbot's worker with the real small models (encoder and language model).

    python -m tests.bench.hostile [--requests 10000] [--seconds 240] [--at-once 64]

Protocol: the worker is a process of its own with the models of the settings; the calls of
`tests/integration/serving/hostile.py` in random order (seed 0), `--at-once` callers. The first tenth brings what the
worker keeps anyway; memory is its resident set, in MB. It stops after `--seconds` at the latest and says how many were
made. Exit 1 when a status was wrong or the worker is not ready afterwards. Counts and memory are the figures; the time
is not.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from pathlib import Path

import grpc

from rapport.ops.settings import Settings
from tests.bench.figures import report
from tests.integration.serving.hostile import Caller, resident_mb, storm
from tests.integration.serving.test_process import READY_S, page, worker
from tests.unit.serving.waiting import until

# Requests between two looks at the clock and at the memory.
_ROUND = 500


async def run(requests: int, seconds: float, at_once: int, file: Path | None) -> bool:
    """Whether every status was right, and the worker answers as before."""
    cache = Settings.load().models.cache
    with worker(cache, "services.chatbot.worker", {"RAPPORT_WORKER__CACHED_ROWS": "100"}) as (process, address, ops):
        await until(lambda: page(f"{ops}/health/ready")[0] == 200, READY_S)
        loaded = resident_mb(process.pid)
        async with grpc.aio.insecure_channel(address) as channel:
            caller = Caller(channel, random.Random(0))
            await storm(caller, requests // 10, at_once)
            before = most = resident_mb(process.pid)
            ends = time.monotonic() + seconds
            while caller.seen.total() < requests and time.monotonic() < ends:
                await storm(caller, min(_ROUND, requests - caller.seen.total()), at_once)
                most = max(most, resident_mb(process.pid))
            await caller.kinds["good"][0]()
            await caller.kinds["good line"][0]()
        ready = page(f"{ops}/health/ready")[0] == 200
        after = resident_mb(process.pid)
    kinds: dict[str, Counter[str]] = {kind: Counter() for kind in caller.kinds}
    for (kind, code), count in caller.seen.items():
        kinds[kind][code] += count
    rows = [{"kind": kind, **dict(sorted(codes.items()))} for kind, codes in kinds.items()]
    report(__doc__ or "", rows, file)
    print(f"{caller.seen.total()} requests; wrong: {caller.wrong() or 'none'}; ready afterwards: {ready}")
    print(f"MB: loaded {loaded:.0f}, after a tenth {before:.0f}, most {most:.0f}, at the end {after:.0f}")
    return ready and not caller.wrong()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=240)
    parser.add_argument("--at-once", type=int, default=64)
    parser.add_argument("--json", type=Path, default=None)
    given = parser.parse_args()
    sys.exit(0 if asyncio.run(run(given.requests, given.seconds, given.at_once, given.json)) else 1)


if __name__ == "__main__":
    main()
