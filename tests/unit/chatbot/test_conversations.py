"""Messages on Kafka: answered once, in order, silent while a person has the conversation."""

from __future__ import annotations

import pytest

from rapport.bus.messages import Outgoing
from rapport.events.chat import ChatMessage, ChatReply, HandoffRequested
from rapport.ops.errors import PermissionRefused
from services.chatbot.domain.conversation import Conversation
from tests.unit.chatbot.conftest import Bot, order, says


def replies(outgoings: list[Outgoing]) -> list[ChatReply]:
    return [outgoing.event for outgoing in outgoings if isinstance(outgoing.event, ChatReply)]


def agent(text: str, message_id: str, *, hands_back: bool = False) -> ChatMessage:
    return says(text, message_id, role="agent", customer_id=None, hands_back=hands_back)


async def test_a_message_said_twice_is_answered_once(bot: Bot) -> None:
    said = says("What does shipping cost?")
    assert len(await bot.hear(said)) == 1
    assert await bot.hear(said) == []
    assert await bot.hear(says("What does shipping cost?", "m-2")) != []


async def test_twice_in_one_batch_is_answered_once(bot: Bot) -> None:
    said = says("What does shipping cost?")
    assert len(await bot.hear(said, said)) == 1


async def test_read_again_after_a_crash_gives_the_same_reply_again(bot: Bot) -> None:
    said = says("What does shipping cost?")
    first = await bot.again(said, 7)
    calls = len(bot.encoder.calls)
    assert await bot.again(said, 7) == first
    assert len(bot.encoder.calls) == calls


async def test_ids_come_from_the_message_even_without_memory(bot: Bot) -> None:
    bot.memory.down = True
    first, second = await bot.again(says("hello"), 1), await bot.again(says("hello"), 1)
    assert [one.event_id for one in first] == [one.event_id for one in second]
    assert first[0].event_id != (await bot.again(says("hello", conversation_id="t-2"), 2))[0].event_id


async def test_conversations_of_a_batch_keep_their_own_order(bot: Bot) -> None:
    said = [says(f"where is order RX-{n:04}?", f"m-{n}", conversation_id=f"t-{n % 3}") for n in range(12)]
    bot.book.orders = [order(f"RX-{n:04}") for n in range(12)]
    told = replies(await bot.hear(*said))
    for conversation in ("t-0", "t-1", "t-2"):
        of_one = [int(reply.in_reply_to[2:]) for reply in told if reply.conversation_id == conversation]
        assert of_one == sorted(of_one)
        assert len(of_one) == 4


async def test_asking_for_a_person_gives_the_transcript_and_then_silence(bot: Bot) -> None:
    await bot.hear(says("What does shipping cost?", "m-1"))
    reply, handoff = await bot.hear(says("let me talk to a human", "m-2"))
    event = handoff.event
    assert isinstance(event, HandoffRequested)
    assert isinstance(reply.event, ChatReply)
    assert (reply.event.action, event.reason, handoff.topic) == ("handoff", "requested", "chat.handoffs.v1")
    assert [line.role for line in event.transcript] == ["customer", "bot", "customer", "bot"]
    assert "What does shipping cost?" in event.summary
    assert await bot.hear(says("hello? are you there", "m-3")) == []
    assert await bot.hear(agent("I have it", "m-4")) == []
    assert await bot.hear(says("thanks", "m-5")) == []
    assert await bot.hear(agent("over to the bot", "m-6", hands_back=True)) == []
    [answer] = replies(await bot.hear(says("What does shipping cost?", "m-7")))
    assert answer.action == "answer"
    turns = bot.memory.conversations["default", "t-1"].turns
    assert [turn.id for turn in turns if turn.speaker != "bot"] == [f"m-{n}" for n in range(1, 8)]


async def test_a_person_who_speaks_has_the_conversation(bot: Bot) -> None:
    await bot.hear(agent("Good morning, I look after you today", "m-1"))
    assert await bot.hear(says("What does shipping cost?", "m-2")) == []


async def test_what_was_said_over_converse_is_recorded_and_not_answered(bot: Bot) -> None:
    said = says("What does shipping cost?", channel="converse")
    assert await bot.hear(said, said) == []
    assert [turn.id for turn in bot.memory.conversations["default", "t-1"].turns] == ["m-1"]


async def test_a_converse_message_that_is_read_late_leaves_what_its_reply_left(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bot.reply("I want to talk to a human")

    async def before(*_: str) -> tuple[Conversation, None]:
        return Conversation("default", "t-1"), None

    monkeypatch.setattr(bot.memory, "recall", before)
    await bot.hear(says("hello?", "m-2", channel="converse"))
    assert bot.memory.conversations["default", "t-1"].with_person


async def test_nobody_enters_the_conversation_of_another(bot: Bot) -> None:
    await bot.hear(says("What does shipping cost?"))
    with pytest.raises(PermissionRefused):
        await bot.hear(says("what did I ask?", "m-2", customer_id="c-2"))
    with pytest.raises(PermissionRefused):
        await bot.hear(says("what did I ask?", "m-3", customer_id=None))


async def test_who_began_without_an_account_may_sign_in(bot: Bot) -> None:
    bot.book.orders = [order("RX-1001")]
    asked = await bot.reply("where is my order?", customer_id=None)
    assert asked.action == "ask"
    assert (await bot.reply("where is my order?", "m-2")).order_id == "RX-1001"


async def test_tenants_do_not_share_conversations(bot: Bot) -> None:
    await bot.hear(says("What does shipping cost?"))
    assert ("default", "t-1") in bot.memory.conversations
    assert list(bot.memory.conversations) == [("default", "t-1")]
