"""What hostile and careless callers send a worker, with the statuses that are right for each kind."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from rapport.contracts.worker.v1 import classifier_pb2, encoder_pb2, generator_pb2
from rapport.contracts.worker.v1.classifier_pb2_grpc import ClassifierStub
from rapport.contracts.worker.v1.encoder_pb2_grpc import EncoderStub
from rapport.contracts.worker.v1.generator_pb2_grpc import GeneratorStub

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
            "nonsense sampling": (lambda: self._write("hello", temperature=float("nan")), {"INVALID_ARGUMENT"}),
            "good line": (lambda: self._write(f"sell shirt {dice.randrange(9)}"), {"OK"}),
            "endless prompt": (lambda: self._write("word " * 20_000), {"INVALID_ARGUMENT"}),
            "wrong adapter": (lambda: self._write("hello", adapter="none"), {"NOT_FOUND"}),
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

    async def _write(self, text: str, adapter: str = "", **sampling: float) -> None:
        turns = [generator_pb2.ChatTurn(role="user", content=text)]
        told = generator_pb2.Sampling(max_tokens=3, **sampling)  # type: ignore[arg-type]
        request = generator_pb2.GenerateRequest(messages=turns, sampling=told, adapter=adapter)
        async for _ in self._generator.Generate(request, timeout=60):
            pass


async def storm(caller: Caller, requests: int, at_once: int) -> None:
    """So many calls, or a few more, by `at_once` callers."""

    async def some() -> None:
        for _ in range(-(-requests // at_once)):
            await caller.call()

    await asyncio.gather(*(some() for _ in range(at_once)))


def resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no such process")
