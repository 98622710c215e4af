"""`Reader.Extract` of the chatbot's worker: nothing until a reader is promoted, then the words that answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rapport.models.registry import Registry
from rapport.ops.errors import InvalidRequest, ModelError, UnavailableError
from rapport.ops.settings import ModelSettings, Settings
from rapport.serving.client import ReaderClient, WorkerChannel
from services.chatbot.training.answer_names import KIND, NAME
from services.chatbot.worker import parts
from services.chatbot.worker.reading import ReaderHost
from tests.contract.worker.conftest import LIMITS, running


@pytest.fixture
async def hosted() -> AsyncIterator[tuple[ReaderHost, ReaderClient]]:
    started = parts(Settings(worker=LIMITS, models=ModelSettings(follow=False)))
    async with running(started) as address:
        channel = WorkerChannel(address, 20.0)
        await channel.start()
        yield next(part for part in started if isinstance(part, ReaderHost)), ReaderClient(channel)
        await channel.stop()


async def test_spans_come_once_a_reader_is_promoted(hosted: tuple[ReaderHost, ReaderClient], tmp_path: Path) -> None:
    host, client = hosted
    passages = ["Never opened.", "退货期为 30 天。 Members: 60"]
    with pytest.raises(UnavailableError, match="promoted"):
        await client.extract("How long?", passages, timeout_s=2.0)
    registry = Registry(tmp_path)
    await host.use(registry.make(lambda folder: (folder / "a").touch(), name=NAME, kind=KIND))
    first, second = await client.extract("How long?", passages)
    assert (first.passage, passages[1][first.start : first.end]) == (1, "30")
    assert second.passage == 0
    assert first.probability > 0.9 > second.probability
    with pytest.raises(ModelError):
        await host.use(registry.make(lambda folder: (folder / "b").touch(), name="other", kind="head"))
    assert (await client.extract("How long?", passages))[0].model == first.model
    with pytest.raises(InvalidRequest, match="question"):
        await client.extract(" ", passages)
    with pytest.raises(InvalidRequest, match="texts"):
        await client.extract("How long?", [])
    await host.use(None)
    with pytest.raises(UnavailableError):
        await client.extract("How long?", passages, timeout_s=2.0)
