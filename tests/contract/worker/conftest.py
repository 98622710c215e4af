from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from rapport.ops.parts import Part
from rapport.ops.roster import Roster
from rapport.ops.settings import ModelSettings, Settings, WorkerSettings
from rapport.serving.client import WorkerChannel
from services.chatbot.worker import parts as chatbot
from services.content.worker import parts as content
from services.profiler.worker import parts as profiler
from services.recommender.worker import parts as recommender
from tests.unit.serving.waiting import until

WORKERS: dict[str, Callable[[Settings], list[Part]]] = {
    "profiler": profiler,
    "recommender": recommender,
    "chatbot": chatbot,
    "content": content,
}
LIMITS = WorkerSettings(backend="dummy", max_texts=5, max_text_bytes=100, max_tokens=6)


@asynccontextmanager
async def running(parts: Sequence[Part]) -> AsyncIterator[str]:
    """The address of a worker that is ready."""
    roster = Roster()
    roster.add(parts)
    try:
        await roster.start()
        await until(lambda: all(part.health().ready for part in parts))
        yield roster.addresses()["grpc"]
    finally:
        await roster.stop()


@pytest.fixture
async def address(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """A worker by the name in the parameter, on real loopback gRPC, without weights."""
    async with running(WORKERS[request.param](Settings(worker=LIMITS, models=ModelSettings(follow=False)))) as address:
        yield address


@pytest.fixture
async def channel(address: str) -> AsyncIterator[WorkerChannel]:
    channel = WorkerChannel(address, 5.0)
    await channel.start()
    yield channel
    await channel.stop()
