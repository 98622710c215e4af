"""Conversations in a real Redis, written by several hands at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from deploy.local.servers import EmbeddedServers
from rapport.events.chat import ChatMessage, ChatReply
from rapport.ops.settings import RedisSettings
from rapport.testing import random_name
from rapport.vectors.connection import RedisConnection
from services.chatbot.adapters.memory import RedisMemory
from tests.unit.chatbot.conftest import Bot, says


@pytest.fixture
async def bot(servers: EmbeddedServers) -> AsyncIterator[Bot]:
    """Its memory is in Redis."""
    redis = RedisConnection(RedisSettings.model_validate({"url": servers.redis_url}))
    await redis.start()
    bot = await Bot().open()
    bot.ports = replace(bot.ports, memory=RedisMemory(redis, turns=20, keep_s=600, outcome_s=600))
    yield bot
    await redis.stop()


async def replied(bot: Bot, said: ChatMessage) -> ChatReply:
    reply = [part async for part in bot.converse(said)][-1]
    assert isinstance(reply, ChatReply)
    return reply


async def test_a_takeover_amid_a_reply_wins_whoever_writes_last(bot: Bot) -> None:
    place = random_name("t")

    async def action(text: str, message_id: str) -> str:
        return (await replied(bot, says(text, message_id, conversation_id=place, channel="converse"))).action

    async def agent(message_id: str, *, hands_back: bool = False) -> None:
        more = {"conversation_id": place, "role": "agent", "customer_id": None, "hands_back": hands_back}
        await bot.hear(says("hello", message_id, **more))

    bot.published.meanwhile = lambda: agent("m-a")
    assert await action("How long can I return things?", "m-1") == "answer"
    assert await action("What does shipping cost?", "m-2") == "handoff"
    await agent("m-b", hands_back=True)
    assert await action("What does shipping cost?", "m-3") == "answer"


async def test_a_message_that_is_read_before_its_reply_is_remembered_was_said_once(bot: Bot) -> None:
    said = says("How long can I return things?", conversation_id=random_name("t"), channel="converse")

    async def read() -> None:
        assert await bot.hear(said) == []

    bot.published.meanwhile = read
    reply = await replied(bot, said)
    conversation, _ = await bot.ports.memory.recall("default", said.conversation_id, reply.reply_id)
    assert [turn.speaker for turn in conversation.turns] == ["customer", "bot"]
