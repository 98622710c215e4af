"""The real small models, prepared once on a machine and loaded once in a run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rapport.models.prepare import prepare
from rapport.ops.roster import Roster
from rapport.ops.settings import ModelSettings, Settings, WorkerSettings
from rapport.serving.client import WorkerChannel
from rapport.serving.loading import LoadedEncoder, load_encoder
from services.chatbot.worker import parts
from tests.unit.serving.waiting import until

# Loading two models beside other busy processes on two cores.
READY_S = 90.0


@pytest.fixture(scope="session")
def cache() -> Path:
    """The machine's own model cache, so that a second run is quick."""
    folder = Settings.load().models.cache
    prepare("tiny", folder, print)
    return folder


@pytest.fixture(scope="session")
def settings(cache: Path) -> Settings:
    # Nothing remembered: what is computed twice must agree.
    return Settings(models=ModelSettings(cache=cache, follow=False), worker=WorkerSettings(cached_rows=0))


@pytest.fixture(scope="module")
def encoder(settings: Settings) -> LoadedEncoder:
    return load_encoder(settings, ["sentiment"])


@pytest.fixture
async def channel(settings: Settings) -> AsyncIterator[WorkerChannel]:
    """To a chatbot worker (encoder and language model) inside this process."""
    roster = Roster()
    worker = parts(settings)
    roster.add(worker)
    await roster.start()
    await until(lambda: all(part.health().ready for part in worker), READY_S)
    channel = WorkerChannel(roster.addresses()["grpc"], 30.0)
    await channel.start()
    yield channel
    await channel.stop()
    await roster.stop()
