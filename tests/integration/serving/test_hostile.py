"""Whatever callers do, each gets the right status, memory stays bounded, and the next good call works.

The worker is a process of its own with models that have no weights: what is tried here is the runtime around them.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from rapport.contracts.worker.v1 import classifier_pb2, encoder_pb2, generator_pb2
from rapport.contracts.worker.v1.classifier_pb2_grpc import ClassifierStub
from rapport.contracts.worker.v1.encoder_pb2_grpc import EncoderStub
from rapport.contracts.worker.v1.generator_pb2_grpc import GeneratorStub
from rapport.ops.errors import UnavailableError
from rapport.serving.client import EncoderClient, WorkerChannel
from tests.integration.serving.test_process import READY_S, page, worker
from tests.unit.serving.waiting import until

REQUESTS, AT_ONCE = 10_000, 64
# What the worker may grow by: gRPC's and Python's own pools, and answers under way. A leak of one 1 MB text in fifty
# requests would be 200 MB.
_MOST_GROWTH_MB = 150
_DUMMY = {"RAPPORT_WORKER__BACKEND": "dummy", "RAPPORT_WORKER__MAX_QUEUE": "128", "RAPPORT_WORKER__CACHED_ROWS": "100"}
_BIG = "x" * 1_000_001

Ask = Callable[[], Awaitable[object]]


class Caller:
    """Every kind of call, with the statuses that are right for it. Full queues are right for any."""

    def __init__(self, channel: grpc.aio.Channel, dice: random.Random) -> None:
        self._encoder, self._dice = EncoderStub(channel), dice
        self._classifier, self._generator = ClassifierStub(channel), GeneratorStub(channel)
        self.embed_raw: Any = channel.unary_unary("/rapport.contracts.worker.v1.Encoder/Embed")
        self.kinds: dict[str, tuple[Callable[[], Awaitable[object]], set[str]]] = {
            "good": (lambda: self._embed([f"shirt {dice.random()}"]), {"OK"}),
            "good batch": (lambda: self._embed([f"{n} {dice.random()}" for n in range(20)]), {"OK"}),
            "empty text": (lambda: self._embed([""]), {"OK"}),
            "NUL bytes": (lambda: self._embed(["\0a\0" * 9]), {"OK"}),
            "no texts": (lambda: self._embed([]), {"INVALID_ARGUMENT"}),
            "1 MB text": (lambda: self._embed([_BIG]), {"INVALID_ARGUMENT"}),
            "5,000 texts": (lambda: self._embed(["x"] * 5000), {"INVALID_ARGUMENT"}),
            "wrong dtype": (lambda: self._embed(["x"], dtype="float7"), {"INVALID_ARGUMENT"}),
            "wrong model": (lambda: self._embed(["x"], model="none/such"), {"NOT_FOUND"}),
            "invalid UTF-8": (lambda: self.embed_raw(b"\x0a\x02\xff\xfe"), {"INVALID_ARGUMENT"}),
            "no message": (lambda: self.embed_raw(b"\xff\xff\xff\xff"), {"INVALID_ARGUMENT"}),
            "wrong task": (lambda: self._classify("nothing"), {"NOT_FOUND"}),
            "classify": (lambda: self._classify("sentiment"), {"OK"}),
            "1 ms": (lambda: self._embed(["late " * 50], within_s=0.001), {"DEADLINE_EXCEEDED", "OK"}),
            "cancelled": (self._cancelled, {"CANCELLED", "OK"}),
            "stream left": (self._left, {"OK", "CANCELLED"}),
            "nonsense sampling": (self._nonsense, {"INVALID_ARGUMENT"}),
        }
        self.seen: Counter[tuple[str, str]] = Counter()

    async def call(self) -> None:
        kind = self._dice.choice(list(self.kinds))
        ask, _ = self.kinds[kind]
        try:
            await ask()
        except grpc.aio.AioRpcError as error:
            self.seen[kind, error.code().name] += 1
        except asyncio.CancelledError:
            self.seen[kind, "CANCELLED"] += 1
        else:
            self.seen[kind, "OK"] += 1

    def wrong(self) -> dict[tuple[str, str], int]:
        return {
            (kind, code): count
            for (kind, code), count in self.seen.items()
            if code not in self.kinds[kind][1] | {"RESOURCE_EXHAUSTED"}
        }

    async def _embed(self, texts: list[str], within_s: float = 60, **more: str) -> None:
        answer = await self._encoder.Embed(encoder_pb2.EmbedRequest(texts=texts, **more), timeout=within_s)  # type: ignore[arg-type]
        rows = np.frombuffer(answer.vectors.data, np.float16).reshape(len(texts), -1)
        assert np.isfinite(rows).all()

    async def _classify(self, task: str) -> None:
        await self._classifier.Classify(classifier_pb2.ClassifyRequest(task=task, texts=["great"]), timeout=60)

    async def _cancelled(self) -> None:
        call = self._encoder.Embed(encoder_pb2.EmbedRequest(texts=["gone"] * 30), timeout=60)
        await asyncio.sleep(self._dice.random() / 100)
        call.cancel()
        await call

    async def _left(self) -> None:
        """Reads one piece of many and goes."""
        turns = [generator_pb2.ChatTurn(role="user", content="word " * 500)]
        request = generator_pb2.GenerateRequest(messages=turns, sampling=generator_pb2.Sampling(max_tokens=400))
        call = self._generator.Generate(request, timeout=60)
        await call.read()
        call.cancel()

    async def _nonsense(self) -> None:
        turns = [generator_pb2.ChatTurn(role="user", content="hello")]
        sampling = generator_pb2.Sampling(temperature=float("nan"), max_tokens=3)
        async for _ in self._generator.Generate(
            generator_pb2.GenerateRequest(messages=turns, sampling=sampling), timeout=60
        ):
            pass


def resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no such process")


async def test_ten_thousand_requests_of_every_kind(tmp_path: Path) -> None:
    dice = random.Random(0)
    with worker(tmp_path, "services.chatbot.worker", _DUMMY) as (process, address, ops):
        await until(lambda: page(f"{ops}/health/ready")[0] == 200, READY_S)
        async with grpc.aio.insecure_channel(address) as channel:
            caller = Caller(channel, dice)

            async def some(count: int) -> None:
                for _ in range(count):
                    await caller.call()

            # The first thousand bring what the worker keeps anyway.
            await asyncio.gather(*(some(1000 // AT_ONCE + 1) for _ in range(AT_ONCE)))
            before, began = resident_mb(process.pid), time.monotonic()
            await asyncio.gather(*(some((REQUESTS - 1000) // AT_ONCE + 1) for _ in range(AT_ONCE)))
            seconds, grown = time.monotonic() - began, resident_mb(process.pid) - before
            print(
                f"{sum(caller.seen.values())} requests, {seconds:.1f} s, grown by {grown:.0f} MB: {dict(caller.seen)}"
            )
            assert caller.wrong() == {}
            assert {kind for kind, code in caller.seen if code == "OK"} >= {"good", "classify", "stream left"}
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
