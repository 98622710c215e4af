"""Fine-tuned classifiers with encoders of their own: loaded beside, taken over, rolled back, while callers ask."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from rapport.models.heads import SoftmaxHead
from rapport.models.ports import ModelId, Role
from rapport.models.registry import Registry
from rapport.models.tuning.kinds import CLASSIFIER
from rapport.models.versions import Version
from rapport.ops.errors import ModelError
from rapport.ops.settings import ModelSettings, Settings, WorkerSettings
from rapport.serving.device_thread import DeviceThread
from rapport.serving.encoder_host import EncoderHost
from rapport.serving.vocabulary import Priority
from tests.unit.serving.waiting import until

TASK = "sentiment"


@pytest.fixture
async def host(device: DeviceThread, tmp_path: Path) -> AsyncIterator[EncoderHost]:
    settings = Settings(
        worker=WorkerSettings(backend="dummy", cached_rows=0), models=ModelSettings(cache=tmp_path, follow=False)
    )
    host = EncoderHost(settings, device, (TASK, "intents"))
    await host.start()
    await until(lambda: host.health().ready)
    yield host
    await host.stop()


def tuned(cache: Path, version: str, labels: tuple[str, ...] = ("cold", "warm"), dimensions: int = 384) -> Version:
    (cache / version).mkdir()
    zeros = np.zeros((len(labels), dimensions), dtype=np.float32)
    SoftmaxHead(ModelId("shop/task", version), labels, Role.QUERY, zeros, zeros[:, 0]).save(cache / version)
    return Registry(cache).register(cache / version, name=TASK, kind=CLASSIFIER, version=version)


async def ask(host: EncoderHost, task: str = TASK) -> tuple[str, tuple[str, ...]]:
    """Which encoder answered, and the labels."""
    engine = host.classifier(task)
    assert engine is not None
    answer = await engine.batcher.run(["a text"], Role.QUERY, Priority.INTERACTIVE)
    assert engine.heads[task].probabilities(answer.rows, ["a text"]).shape == (1, len(engine.heads[task].labels))
    return engine.batcher.backend.model.revision, engine.heads[task].labels


async def test_no_call_is_dropped_while_classifiers_come_and_go(host: EncoderHost, tmp_path: Path) -> None:
    answered: list[str] = []
    ended = asyncio.Event()

    async def caller() -> None:
        while not ended.is_set():
            answered.append((await ask(host))[0])

    async def answers(revision: str) -> None:
        await until(lambda: answered[-1:] == [revision])

    callers = [asyncio.create_task(caller()) for _ in range(8)]
    await answers("1")
    await host.use_classifier(TASK, tuned(tmp_path, "v1"))
    await answers("v1")
    await host.use_classifier(TASK, tuned(tmp_path, "v2"))
    await answers("v2")
    await host.use_classifier(TASK, None)
    await answers("1")
    ended.set()
    await asyncio.gather(*callers)
    assert (await ask(host))[1] == ("negative", "neutral", "positive")


async def test_a_version_that_cannot_be_loaded_leaves_what_answered(host: EncoderHost, tmp_path: Path) -> None:
    wrong = tuned(tmp_path, "v1", dimensions=8)
    with pytest.raises(ModelError, match="8 dimensions"):
        await host.use_classifier(TASK, wrong)
    assert await ask(host) == ("1", ("negative", "neutral", "positive"))
    await host.use_classifier(TASK, tuned(tmp_path, "v2"))
    with pytest.raises(ModelError):
        await host.use_classifier(TASK, wrong)
    assert (await ask(host))[0] == "v2"


async def test_a_task_without_a_built_in_classifier_is_ready_once_one_is_promoted(
    host: EncoderHost, tmp_path: Path
) -> None:
    assert host.classifier("intents") is None
    assert not host.model_health("intents").ready
    await host.use_classifier("intents", tuned(tmp_path, "v1"))
    assert host.model_health("intents").ready
    assert host.tasks() == ["intents", TASK]
    assert await ask(host, "intents") == ("v1", ("cold", "warm"))
    await host.use_classifier("intents", None)
    assert host.classifier("intents") is None


async def test_a_new_encoder_leaves_a_classifier_with_its_own_alone(host: EncoderHost, tmp_path: Path) -> None:
    await host.use_classifier(TASK, tuned(tmp_path, "v1"))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text("{}")
    await host.use_encoder(Registry(tmp_path).register(tmp_path / "other", name="encoder", kind="encoder", version="e"))
    assert (await ask(host))[0] == "v1"
    await host.use_classifier(TASK, None)
    assert (await ask(host))[0] == "e"
