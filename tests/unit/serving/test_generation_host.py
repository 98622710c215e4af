"""Language models and LoRA adapters that are promoted while texts are under way (a network of random weights)."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from rapport.models.decoding.decoder import TorchDecoder
from rapport.models.registry import Registry
from rapport.models.text_ports import Sampling
from rapport.models.versions import Version
from rapport.ops.errors import ModelError, NotFound
from rapport.ops.settings import ModelSettings, Settings, WorkerSettings
from rapport.serving.device_thread import DeviceThread
from rapport.serving.generating.engine import TextEngine, TextRequest
from rapport.serving.generating.hosting import GenerationHost
from tests.unit.models.tiny import tiny_adapter, tiny_decoder
from tests.unit.serving.waiting import until

WORDS = [f"word{number}" for number in range(200)]
ASKED = TextRequest([("user", "word1 word2 word3")], Sampling(), max_tokens=24)
BRAND = "brand"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_decoder(tmp_path_factory.mktemp("base") / "decoder", WORDS)


@pytest.fixture
async def host(device: DeviceThread, base: Path, tmp_path: Path) -> AsyncIterator[GenerationHost]:
    settings = Settings(
        models=ModelSettings(cache=tmp_path, generator=str(base), context=128, follow=False),
        worker=WorkerSettings(device="cpu", threads=1, generation_cache_mb=16),
    )
    host = GenerationHost(settings, device, (BRAND,))
    await host.start()
    await until(lambda: host.health().ready)
    yield host
    await host.stop()


def registered(cache: Path, folder: Path, name: str = "generator", kind: str = "generator") -> Version:
    return Registry(cache).register(folder, name=name, kind=kind)


async def said(engine: TextEngine, request: TextRequest = ASKED) -> str:
    return "".join([piece.text async for piece in engine.generate(request)])


async def test_texts_under_way_end_on_the_old_model_and_new_ones_begin_on_the_new(
    host: GenerationHost, tmp_path: Path
) -> None:
    old, before = host.engine, await said(host.engine)
    assert before
    other = registered(tmp_path, tiny_decoder(tmp_path / "other", WORDS, seed=5))
    under_way = old.generate(ASKED)
    first = await anext(under_way)
    replacing = asyncio.create_task(host.use_generator(other))
    await until(lambda: host.engine is not old)
    now = await said(host.engine)
    assert now != before
    assert host.engine.model.id == "generator"
    rest = "".join([piece.text async for piece in under_way])
    assert first.text + rest == before
    await replacing
    assert not old.health().live
    await host.use_generator(None)
    assert await said(host.engine) == before


async def test_a_version_that_cannot_be_loaded_leaves_the_old_one(
    host: GenerationHost, base: Path, tmp_path: Path
) -> None:
    before = await said(host.engine)
    broken = shutil.copytree(base, tmp_path / "broken")
    os.truncate(broken / "model.safetensors", 100)
    with pytest.raises(ModelError, match="cannot be loaded"):
        await host.use_generator(registered(tmp_path, broken))
    assert await said(host.engine) == before
    assert host.health().ready


async def test_an_adapter_is_served_by_its_name_once_promoted(host: GenerationHost, base: Path, tmp_path: Path) -> None:
    plain = await said(host.engine)
    branded = TextRequest(ASKED.turns, Sampling(), max_tokens=24, adapter=BRAND)
    with pytest.raises(NotFound, match=BRAND):
        await said(host.engine, branded)
    version = registered(tmp_path, tiny_adapter(tmp_path / "adapter", base), BRAND, "lora")
    await host.use_adapter(BRAND, version)
    assert await said(host.engine) == plain
    assert await said(host.engine, branded) != plain
    await host.use_adapter(BRAND, None)
    with pytest.raises(NotFound):
        await said(host.engine, branded)


async def test_an_adapter_that_does_not_fit_changes_nothing(host: GenerationHost, base: Path, tmp_path: Path) -> None:
    fitting = registered(tmp_path, tiny_adapter(tmp_path / "adapter", base), BRAND, "lora")
    await host.use_adapter(BRAND, fitting)
    branded = TextRequest(ASKED.turns, Sampling(), max_tokens=24, adapter=BRAND)
    before = await said(host.engine, branded)
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelError, match="adapter"):
        await host.use_adapter(BRAND, registered(tmp_path, tmp_path / "wrong", BRAND, "lora"))
    assert await said(host.engine, branded) == before


async def test_a_new_model_is_warmed_with_the_chats_that_came(
    host: GenerationHost, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await said(host.engine)
    read: list[Sequence[tuple[str, str]]] = []
    prompt = TorchDecoder.prompt

    def noted(decoder: TorchDecoder, turns: Sequence[tuple[str, str]]) -> list[int]:
        read.append(turns)
        return prompt(decoder, turns)

    monkeypatch.setattr(TorchDecoder, "prompt", noted)
    await host.use_generator(registered(tmp_path, base))
    assert ASKED.turns in read
