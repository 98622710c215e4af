"""A worker on a real broker, promoted and rolled back while callers ask: they notice the revision and nothing else."""

from __future__ import annotations

import asyncio
from pathlib import Path

from deploy.local.servers import EmbeddedServers
from rapport.models.promotions import promote, promotions, roll_back
from rapport.models.registry import Registry
from rapport.ops.roster import Roster
from rapport.ops.settings import ModelSettings, WorkerSettings
from rapport.serving.client import EncoderClient, WorkerChannel
from rapport.serving.worker import worker_parts
from tests.integration.bus.support import settings_on
from tests.unit.serving.waiting import until


async def test_no_call_fails_while_the_encoder_is_promoted_and_rolled_back(
    servers: EmbeddedServers, tmp_path: Path
) -> None:
    settings = settings_on(servers.bootstrap_servers).model_copy(
        update={"models": ModelSettings(cache=tmp_path), "worker": WorkerSettings(backend="dummy", cached_rows=0)}
    )
    (tmp_path / "trained").mkdir()
    (tmp_path / "trained" / "config.json").write_text("{}")
    registry = Registry(tmp_path)
    versions = [
        registry.register(tmp_path / "trained", name="encoder", kind="encoder", version=v) for v in ("v1", "v2")
    ]
    await promote(versions[0], settings)
    roster = Roster()
    parts = worker_parts(settings, embed=True)
    roster.add(parts)
    await roster.start()
    channel = WorkerChannel(roster.addresses()["grpc"], 30.0)
    await channel.start()
    client = EncoderClient(channel)
    answers: list[str] = []
    ended = asyncio.Event()

    async def caller(name: int) -> None:
        while not ended.is_set():
            answers.append((await client.embed([f"caller {name}, question {len(answers)}"])).model.partition("@")[2])

    callers = [asyncio.create_task(caller(name)) for name in range(4)]
    # What was promoted before the start, then a promotion, then a rollback.
    await until(lambda: answers[-1:] == ["v1"], 30)
    await promote(versions[1], settings)
    await until(lambda: answers[-1:] == ["v2"], 30)
    await roll_back(versions[0], (await promotions(settings))["encoder"], settings)
    await until(lambda: answers[-1:] == ["v1"], 30)
    ended.set()
    await asyncio.gather(*callers)
    assert all(part.health().ready for part in parts)
    await channel.stop()
    await roster.stop()
