"""A worker on a real broker, promoted and rolled back while callers ask: they notice the revision and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from deploy.local.servers import EmbeddedServers
from rapport.models.promotions import promote, promotions, roll_back
from rapport.models.registry import Registry
from rapport.ops.roster import Roster
from rapport.ops.settings import ModelSettings, WorkerSettings
from rapport.serving.client import EncoderClient, GeneratorClient, Turn, WorkerChannel
from rapport.serving.worker import worker_parts
from tests.integration.bus.support import settings_on
from tests.unit.serving.waiting import until

Ask = Callable[[WorkerChannel, str], Awaitable[str]]


async def embed(channel: WorkerChannel, question: str) -> str:
    """The model that answered."""
    return (await EncoderClient(channel).embed([question])).model


async def generate(channel: WorkerChannel, question: str) -> str:
    pieces = [piece async for piece in GeneratorClient(channel).generate([Turn("user", question)])]
    assert "".join(piece.text for piece in pieces) == question
    return pieces[-1].model


@pytest.mark.parametrize(("model", "ask"), [("encoder", embed), ("generator", generate)])
async def test_no_call_fails_while_a_model_is_promoted_and_rolled_back(
    model: str, ask: Ask, servers: EmbeddedServers, tmp_path: Path
) -> None:
    settings = settings_on(servers.bootstrap_servers).model_copy(
        update={"models": ModelSettings(cache=tmp_path), "worker": WorkerSettings(backend="dummy", cached_rows=0)}
    )
    (tmp_path / "trained").mkdir()
    (tmp_path / "trained" / "config.json").write_text("{}")
    registry = Registry(tmp_path)
    versions = [registry.register(tmp_path / "trained", name=model, kind=model, version=v) for v in ("v1", "v2")]
    await promote(versions[0], settings)
    roster = Roster()
    parts = worker_parts(settings, embed=True, generate=True)
    roster.add(parts)
    await roster.start()
    channel = WorkerChannel(roster.addresses()["grpc"], 30.0)
    await channel.start()
    answers: list[str] = []
    ended = asyncio.Event()

    async def caller(name: int) -> None:
        while not ended.is_set():
            told = await ask(channel, f"caller {name}, question {len(answers)}")
            answers.append(told.partition("@")[2])

    callers = [asyncio.create_task(caller(name)) for name in range(4)]
    # What was promoted before the start, then a promotion, then a rollback.
    await until(lambda: answers[-1:] == ["v1"], 60)
    await promote(versions[1], settings)
    await until(lambda: answers[-1:] == ["v2"], 60)
    await roll_back(versions[0], (await promotions(settings))[model], settings)
    await until(lambda: answers[-1:] == ["v1"], 60)
    ended.set()
    await asyncio.gather(*callers)
    assert all(part.health().ready for part in parts)
    await channel.stop()
    await roster.stop()
