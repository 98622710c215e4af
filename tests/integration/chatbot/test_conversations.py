"""Whole conversations against the real thing: Kafka, Redis, the small encoder, the demo shop's articles."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import grpc
import pytest

from deploy.local.servers import EmbeddedServers
from rapport.models.prepare import prepare
from rapport.ops.settings import ModelSettings
from rapport.vectors.connection import RedisConnection
from services.demo.adapters.article_files import load_articles
from tests.integration.chatbot.conftest import opened, until
from tests.integration.chatbot.playing import Played, conversations, goods_and_orders, play
from tests.integration.chatbot.test_real_models import understood

# Conversations played at once: the encoder works on two cores.
_AT_ONCE = 4


@pytest.mark.timeout(600)
async def test_every_conversation_goes_as_written(servers: EmbeddedServers) -> None:
    prepare("tiny", ModelSettings().cache, print)
    told = conversations()
    assert len(told) >= 60
    async with opened(servers, "torch", load_articles(), encoder_timeout_s=15) as (desk, _):
        await desk.publish(*goods_and_orders())
        await until(partial(understood, desk), 120, "articles embedded")

        async def ordered() -> bool:
            _, reply = await desk.converse("RX-3002", customer_id="li")
            return "RX-3002" in reply.text and reply.order_id == "RX-3002"

        await until(ordered, 30, "orders read")
        redis = RedisConnection(desk.settings.redis)
        await redis.start()
        slots = asyncio.Semaphore(_AT_ONCE)
        async with grpc.aio.insecure_channel(desk.address) as channel:

            async def follow(conversation: dict[str, Any]) -> Played:
                async with slots:
                    return await play(conversation, desk, channel, redis)

            played = await asyncio.gather(*(follow(conversation) for conversation in told))
        await redis.stop()
        # The same command from two conversations has the same id, whatever reason was given.
        commands = {(one.conversation_id, one.action_id): one for one in await desk.read("orders.actions.v1")}
        handoffs = await desk.read("chat.handoffs.v1")
    for one in played:
        for ids, wanted in one.commands:
            sent = [commands[one.id, id_].model_dump(mode="json", exclude_none=True) for id_ in ids]
            if wanted is not None and not any(wanted.items() <= command.items() for command in sent):
                one.wrong.append(f"wanted the command {wanted}, sent {sent}")
        reasons = [handoff.reason for handoff in handoffs if handoff.conversation_id == one.id]
        if reasons != one.handoffs:
            one.wrong.append(f"handed off for {reasons} instead of {one.handoffs}")
    wrong = [one for one in played if one.wrong]
    print(f"\n{len(played) - len(wrong)} of {len(played)} conversations went as written")
    for one in wrong:
        print(one.name, *one.wrong, sep="\n    ")
    assert not wrong
