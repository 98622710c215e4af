"""A reader that was trained and promoted: the worker serves it and replies carry the words that answer."""

from __future__ import annotations

import json
from pathlib import Path

from deploy.local.servers import EmbeddedServers
from rapport.models.promotions import promote, withdraw
from rapport.models.registry import Registry
from services.chatbot.training.answer_names import FACTS, KIND, NAME
from tests.integration.chatbot.conftest import opened, until
from tests.unit.chatbot.conftest import ARTICLES


async def test_replies_point_at_the_answer_while_a_reader_is_promoted(servers: EmbeddedServers, tmp_path: Path) -> None:
    def files(folder: Path) -> None:
        (folder / FACTS).write_text(json.dumps({"least": 0.5}), encoding="utf-8")

    version = Registry(tmp_path).make(files, name=NAME, kind=KIND)
    async with opened(servers, "dummy", ARTICLES, cache=tmp_path) as (desk, _):

        async def pointed() -> str:
            _, reply = await desk.converse("How long can I return things?")
            [source] = reply.sources
            assert source.quote in ARTICLES[0].body
            if not source.HasField("answer_start"):
                return ""
            return ARTICLES[0].body[source.answer_start : source.answer_end]

        async def number() -> bool:
            return await pointed() == "30"

        async def nothing() -> bool:
            return not await pointed()

        assert await nothing()
        await promote(version, desk.settings)
        await until(number, 120, "the words that answer")
        await withdraw(NAME, desk.settings)
        await until(nothing, 120, "quotations alone again")
