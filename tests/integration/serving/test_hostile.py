"""Whatever callers do, each gets the right status, memory stays bounded, and the next good call works.

The worker is a process of its own with models that have no weights: what is tried here is the runtime around them.
`tests/bench/hostile.py` does the same to real models.
"""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

import grpc
import pytest

from rapport.ops.errors import UnavailableError
from rapport.serving.client import EncoderClient, WorkerChannel
from tests.integration.serving.hostile import Caller, resident_mb, storm
from tests.integration.serving.test_process import READY_S, page, worker
from tests.unit.serving.waiting import until

REQUESTS, AT_ONCE = 10_000, 64
# What the worker may grow by: gRPC's and Python's own pools, and answers under way. A leak of one 1 MB text in fifty
# requests would be 200 MB.
_MOST_GROWTH_MB = 150
_DUMMY = {"RAPPORT_WORKER__BACKEND": "dummy", "RAPPORT_WORKER__MAX_QUEUE": "128", "RAPPORT_WORKER__CACHED_ROWS": "100"}


async def test_ten_thousand_requests_of_every_kind(tmp_path: Path) -> None:
    dice = random.Random(0)
    with worker(tmp_path, "services.chatbot.worker", _DUMMY) as (process, address, ops):
        await until(lambda: page(f"{ops}/health/ready")[0] == 200, READY_S)
        async with grpc.aio.insecure_channel(address) as channel:
            caller = Caller(channel, dice)
            # The first thousand bring what the worker keeps anyway.
            await storm(caller, 1000, AT_ONCE)
            before, began = resident_mb(process.pid), time.monotonic()
            await storm(caller, REQUESTS - 1000, AT_ONCE)
            seconds, grown = time.monotonic() - began, resident_mb(process.pid) - before
            print(
                f"{sum(caller.seen.values())} requests, {seconds:.1f} s, grown by {grown:.0f} MB: {dict(caller.seen)}"
            )
            assert caller.wrong() == {}
            assert {kind for kind, code in caller.seen if code == "OK"} >= {
                "good",
                "classify",
                "stream left",
                "good line",
            }
            assert grown < _MOST_GROWTH_MB
            await caller.kinds["good"][0]()
        assert page(f"{ops}/health/ready")[0] == 200
        assert 'rapport_inference_pending_requests{model="encoder"} 0.0' in page(f"{ops}/metrics/")[1]


async def test_after_kill_nine_callers_recover_by_themselves(tmp_path: Path) -> None:
    with worker(tmp_path, "services.chatbot.worker", _DUMMY) as (process, address, ops):
        await until(lambda: page(f"{ops}/health/ready")[0] == 200, READY_S)
        channel = WorkerChannel(address, 5.0)
        await channel.start()
        client = EncoderClient(channel)
        await client.embed(["before"])
        process.kill()
        await asyncio.to_thread(process.wait)
        with pytest.raises(UnavailableError):
            await client.embed(["while it is gone"], timeout_s=1.0)
        waiting = asyncio.create_task(client.embed(["asked too early"], timeout_s=60))
        with worker(tmp_path, "services.chatbot.worker", _DUMMY, address=address):
            assert (await waiting).vectors.shape == (1, 384)
        await channel.stop()
