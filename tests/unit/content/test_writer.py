"""Whose words are asked for: the promoted copywriter's once the worker has it, the base model's until then."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from rapport.models.versions import Manifest, Version
from rapport.ops.errors import NotFound
from rapport.serving.generator_client import GeneratorClient, Piece
from services.content.adapters.writer import WorkerWriter


@dataclass
class Worker:
    """A generator with these adapters."""

    adapters: set[str] = field(default_factory=set)

    async def generate(self, messages: object, *, adapter: str, **_: Any) -> AsyncIterator[Piece]:
        if adapter and adapter not in self.adapters:
            raise NotFound(f"no adapter {adapter!r} here", field="adapter")
        yield Piece(text=adapter or "base", finish="stop", model="m@1")


_MANIFEST = Manifest(
    name="copywriter", version="1", kind="lora", created_at=datetime(2026, 3, 5, tzinfo=UTC), metrics={}, files={}
)
VERSION = Version(Path("/nowhere"), _MANIFEST)


def writer(worker: Worker, adapter: str = "") -> WorkerWriter:
    client = cast("GeneratorClient", worker)
    return WorkerWriter(client, max_tokens=8, temperature=0, adapter=adapter, constrain=False)


async def test_a_promoted_copywriter_is_asked_as_soon_as_the_worker_has_it() -> None:
    worker = Worker()
    own = writer(worker)
    said = [await own.write([], seed=1)]
    await own.use(VERSION)
    said.append(await own.write([], seed=1))
    worker.adapters.add("copywriter")
    said.append(await own.write([], seed=1))
    await own.use(None)
    said.append(await own.write([], seed=1))
    assert [text for text, _ in said] == ["base", "base", "copywriter", "base"]


async def test_an_adapter_of_the_settings_is_what_is_asked_for_or_nothing() -> None:
    own = writer(Worker({"copywriter"}), "house-style")
    await own.use(VERSION)
    with pytest.raises(NotFound):
        await own.write([], seed=1)
