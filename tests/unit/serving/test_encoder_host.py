"""Promotion and rollback while calls come in: nothing dropped, a failed load changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from rapport.models.heads import SoftmaxHead
from rapport.models.ports import ModelId, Role
from rapport.models.registry import Registry
from rapport.models.versions import Version
from rapport.ops.errors import ModelError
from rapport.ops.settings import ModelSettings, Settings, WorkerSettings
from rapport.serving import encoder_host, loading
from rapport.serving.device_thread import DeviceThread
from rapport.serving.encoder_host import EncoderHost
from rapport.serving.loading import LoadedEncoder
from rapport.serving.vocabulary import Priority
from tests.unit.serving.waiting import until


@pytest.fixture
async def host(device: DeviceThread, tmp_path: Path) -> AsyncIterator[EncoderHost]:
    settings = Settings(
        worker=WorkerSettings(backend="dummy", cached_rows=0), models=ModelSettings(cache=tmp_path, follow=False)
    )
    host = EncoderHost(settings, device, ("sentiment", "intent"))
    await host.start()
    await until(lambda: host.health().ready)
    yield host
    await host.stop()


def encoder(tmp_path: Path, version: str) -> Version:
    folder = tmp_path / version
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    return Registry(tmp_path).register(folder, name="encoder", kind="encoder", version=version)


def head(tmp_path: Path, fitted_on: str, dimensions: int = 384) -> Version:
    folder = tmp_path / f"head-{dimensions}"
    folder.mkdir(exist_ok=True)
    weights = np.zeros((2, dimensions), dtype=np.float32)
    SoftmaxHead(ModelId("intent", "7"), ("buy", "return"), Role.QUERY, weights, np.zeros(2, dtype=np.float32)).save(
        folder
    )
    return Registry(tmp_path).register(folder, name="intent", kind="head", requires={"encoder": fitted_on})


async def ask(host: EncoderHost, text: str) -> str:
    """The revision that answered."""
    batcher = host.engine.batcher
    answer = await batcher.run([text], Role.QUERY, Priority.INTERACTIVE)
    assert answer.rows.shape == (1, 384)
    return batcher.backend.model.revision


async def test_no_call_is_dropped_while_versions_change(host: EncoderHost, tmp_path: Path) -> None:
    answered: list[str] = []
    ended = asyncio.Event()

    async def caller(name: str) -> None:
        while not ended.is_set():
            answered.append(await ask(host, f"{name} asks {len(answered)}"))

    callers = [asyncio.create_task(caller(f"caller {number}")) for number in range(8)]
    for version in ("v2", "v3"):
        answered.append("-")
        await until(lambda: len(answered) > 20 and "-" not in answered[-20:])
        await host.use_encoder(encoder(tmp_path, version))
        assert await ask(host, "now") == version
    await host.use_encoder(None)
    assert await ask(host, "and back") == "1"
    ended.set()
    await asyncio.gather(*callers)
    assert {"1", "v2", "v3"} <= set(answered)
    assert host.health().ready


async def test_the_new_version_is_warmed_with_requests_that_came(
    host: EncoderHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask(host, "a question that was asked before")
    warmed: list[str] = []
    load = loading.load_encoder

    def watched(*given: object) -> LoadedEncoder:
        loaded = load(*given)  # type: ignore[arg-type]
        tokenize = loaded.backend.tokenize

        def noted(texts: Sequence[str], role: Role) -> list[list[int]]:
            warmed.extend(texts)
            return tokenize(texts, role)

        monkeypatch.setattr(loaded.backend, "tokenize", noted)
        return loaded

    monkeypatch.setattr(encoder_host, "load_encoder", watched)
    await host.use_encoder(encoder(tmp_path, "v2"))
    assert "a question that was asked before" in warmed


async def test_a_version_that_cannot_be_loaded_leaves_the_old_one(
    host: EncoderHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> LoadedEncoder:
        raise ModelError("no such layer")

    monkeypatch.setattr(encoder_host, "load_encoder", broken)
    with pytest.raises(ModelError, match="no such layer"):
        await host.use_encoder(encoder(tmp_path, "v2"))
    assert await ask(host, "still there") == "1"
    assert host.health().ready


async def test_a_head_is_taken_over_and_withdrawn(host: EncoderHost, tmp_path: Path) -> None:
    assert set(host.engine.heads) == {"sentiment"}
    await host.use_classifier("intent", head(tmp_path, "rapport/dummy-encoder@1"))
    assert host.engine.heads["intent"].labels == ("buy", "return")
    await host.use_classifier("intent", None)
    assert set(host.engine.heads) == {"sentiment"}


@pytest.mark.parametrize(("fitted_on", "dimensions"), [("another@1", 384), ("rapport/dummy-encoder@1", 8)])
async def test_a_head_of_another_encoder_is_refused(
    host: EncoderHost, tmp_path: Path, fitted_on: str, dimensions: int
) -> None:
    with pytest.raises(ModelError, match="fitted on"):
        await host.use_classifier("intent", head(tmp_path, fitted_on, dimensions))
    assert set(host.engine.heads) == {"sentiment"}


async def test_with_a_new_encoder_the_head_of_the_old_one_is_not_used(host: EncoderHost, tmp_path: Path) -> None:
    await host.use_classifier("intent", head(tmp_path, "rapport/dummy-encoder@1"))
    await host.use_encoder(encoder(tmp_path, "v2"))
    assert set(host.engine.heads) == {"sentiment"}
    await host.use_encoder(None)
    assert set(host.engine.heads) == {"sentiment", "intent"}
