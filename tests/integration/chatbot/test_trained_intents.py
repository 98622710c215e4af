"""Intents with an encoder of their own, promoted: the worker serves them and the chatbot asks for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from deploy.local.servers import EmbeddedServers
from rapport.contracts.chatbot.v1 import chat_service_pb2 as wire
from rapport.models.heads import SoftmaxHead
from rapport.models.ports import ModelId, Role
from rapport.models.promotions import promote, withdraw
from rapport.models.registry import Registry
from rapport.models.tuning.kinds import CLASSIFIER
from rapport.serving.dummy import DummyEncoder
from services.chatbot.training.versions import NAME, Facts
from tests.integration.chatbot.conftest import opened, until
from tests.unit.chatbot.conftest import ARTICLES

STRANGE = "purple monkeys dance on Tuesdays"


async def test_a_promoted_classifier_tells_intents_until_it_is_withdrawn(
    servers: EmbeddedServers, tmp_path: Path
) -> None:
    files = tmp_path / "files"
    files.mkdir()
    labels = ("greeting", "knowledge")
    weights = np.zeros((2, DummyEncoder.dimensions), np.float32)
    SoftmaxHead(ModelId("shop/intents", "1"), labels, Role.QUERY, weights, np.array([5, 0], np.float32)).save(files)
    Facts(act_from=0.5, accuracy=1.0, by_intent={}).save(files)
    version = Registry(tmp_path).register(files, name=NAME, kind=CLASSIFIER)
    async with opened(servers, "dummy", ARTICLES, cache=tmp_path) as (desk, _):

        async def greets() -> bool:
            _, reply = await desk.converse(STRANGE)
            return reply.action == wire.ACTION_ASK

        assert not await greets()
        await promote(version, desk.settings)
        await until(greets, 30, "the promoted version tells")
        await withdraw(NAME, desk.settings)

        async def as_before() -> bool:
            return not await greets()

        await until(as_before, 30, "the built-in examples tell again")
