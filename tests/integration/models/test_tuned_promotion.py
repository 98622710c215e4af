"""A classifier that was fine-tuned here, promoted and rolled back on a real broker while callers ask its worker."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from deploy.local.servers import EmbeddedServers
from rapport.models.promotions import promote, promotions, roll_back, withdraw
from rapport.models.registry import Registry
from rapport.models.tuning.examples import Example
from rapport.models.tuning.learning import learn
from rapport.models.tuning.recipe import Recipe
from rapport.models.versions import Version
from rapport.ops.errors import NotFound
from rapport.ops.roster import Roster
from rapport.ops.settings import ModelSettings, Settings, WorkerSettings
from rapport.serving.client import Classified, ClassifierClient, WorkerChannel
from rapport.serving.worker import worker_parts
from tests.integration.bus.support import settings_on
from tests.unit.models.tiny import tiny_encoder
from tests.unit.serving.waiting import until

TASK = "wishes"
SAID = {"return": "please take this back", "track": "where is my parcel", "cancel": "stop the order now"}
FILL = ["lamp", "kettle", "tent", "sofa", "mug", "shirt"]
EXAMPLES = [Example(label, f"{text} {word}") for _ in range(4) for label, text in SAID.items() for word in FILL]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("tiny") / "encoder", [*SAID.values(), *FILL, "quantum"])


@pytest.fixture
def settings(servers: EmbeddedServers, folder: Path, tmp_path: Path) -> Settings:
    return settings_on(servers.bootstrap_servers).model_copy(
        update={
            "models": ModelSettings(cache=tmp_path, encoder=str(folder)),
            "worker": WorkerSettings(device="cpu", threads=1, cached_rows=0),
        }
    )


def trained(recipe: Recipe, settings: Settings) -> Version:
    learned = learn(TASK, EXAMPLES, EXAMPLES[:18], recipe, settings, lambda _: None)
    return Registry(settings.models.cache).make(
        learned.save, name=TASK, kind=learned.kind, metrics=learned.scores.metrics(), requires=learned.requires
    )


async def test_a_fine_tuned_classifier_is_served_and_rolled_back_without_a_failed_call(settings: Settings) -> None:
    head = await asyncio.to_thread(trained, Recipe("head"), settings)
    tuned = await asyncio.to_thread(trained, Recipe("full", epochs=3, rate=2e-3), settings)
    await promote(head, settings)
    roster = Roster()
    roster.add(worker_parts(settings, embed=True, tasks=(TASK,)))
    await roster.start()
    channel = WorkerChannel(roster.addresses()["grpc"], 60.0)
    await channel.start()
    client = ClassifierClient(channel)
    said: list[Classified | None] = []
    ended = asyncio.Event()

    async def caller() -> None:
        while not ended.is_set():
            try:
                said.append(await client.classify(TASK, [*SAID.values(), "quantum quantum"]))
            except NotFound:
                said.append(None)

    async def by(method: str) -> Classified:
        await until(lambda: said[-1:] and said[-1] is not None and f"@{method}" in said[-1].model, 60)
        found = said[-1]
        assert found is not None
        return found

    callers = [asyncio.create_task(caller()) for _ in range(3)]
    await by("0-72")
    said.clear()
    await promote(tuned, settings)
    answer = await by("full-")
    assert answer.best()[:3] == ["return", "track", "cancel"]
    assert answer.energies is not None
    assert np.all(answer.energies[3] > answer.energies[:3])
    await roll_back(head, (await promotions(settings))[TASK], settings)
    await by("0-72")
    assert None not in said
    await withdraw(TASK, settings)
    await until(lambda: said[-1] is None, 60)
    ended.set()
    await asyncio.gather(*callers)
    await channel.stop()
    await roster.stop()
