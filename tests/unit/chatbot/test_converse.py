"""The streamed call: pieces, the whole reply, and the log on the topics."""

from __future__ import annotations

import pytest

from rapport.events.chat import ChatMessage, ChatReply
from rapport.ops.errors import PermissionRefused, UnavailableError
from rapport.testing.models import FakeGenerator
from tests.unit.chatbot.conftest import Bot, order, says


def said(text: str, message_id: str = "m-1", **more: object) -> ChatMessage:
    return says(text, message_id, channel="converse", **more)


async def ask(bot: Bot, text: str, message_id: str = "m-1", **more: object) -> tuple[list[str], ChatReply]:
    parts = [part async for part in bot.converse(said(text, message_id, **more))]
    reply = parts[-1]
    assert isinstance(reply, ChatReply)
    return [part for part in parts if isinstance(part, str)], reply


async def test_pieces_join_to_the_reply_and_both_sides_are_published(bot: Bot) -> None:
    pieces, reply = await ask(bot, "How long can I return things?")
    assert len(pieces) > 1
    assert "".join(pieces) == reply.text
    topics = [(outgoing.topic, type(outgoing.event)) for outgoing in bot.published.outgoings]
    assert topics == [("chat.messages.v1", ChatMessage), ("chat.replies.v1", ChatReply)]
    message = bot.published.outgoings[0].event
    assert isinstance(message, ChatMessage)
    assert message.channel == "converse"


async def test_pieces_join_to_the_reply_in_chinese(bot: Bot) -> None:
    pieces, reply = await ask(bot, "多长时间内可以退货？")
    assert "".join(pieces) == reply.text
    assert len(pieces) > 1


async def test_the_same_message_id_gives_the_same_reply_and_publishes_nothing_more(bot: Bot) -> None:
    _, first = await ask(bot, "How long can I return things?")
    before = list(bot.published.outgoings)
    pieces, again = await ask(bot, "How long can I return things?")
    assert again == first
    assert "".join(pieces) == first.text
    assert bot.published.outgoings == before


async def test_what_kafka_did_not_take_may_be_said_again(bot: Bot) -> None:
    bot.published.failure = UnavailableError("no broker")
    with pytest.raises(UnavailableError):
        await ask(bot, "How long can I return things?")
    bot.published.failure = None
    _, reply = await ask(bot, "How long can I return things?")
    assert reply.action == "answer"
    assert len(bot.published.outgoings) == 2


async def test_while_a_person_has_it_the_message_is_published_and_the_reply_is_empty(bot: Bot) -> None:
    await ask(bot, "转人工")
    bot.published.outgoings.clear()
    pieces, reply = await ask(bot, "在吗", "m-2")
    assert (pieces, reply.text, reply.action) == ([], "", "handoff")
    assert [outgoing.topic for outgoing in bot.published.outgoings] == ["chat.messages.v1"]


async def test_a_hand_off_is_published_with_its_reply(bot: Bot) -> None:
    await ask(bot, "I need a real person")
    topics = [outgoing.topic for outgoing in bot.published.outgoings]
    assert topics == ["chat.messages.v1", "chat.replies.v1", "chat.handoffs.v1"]


async def test_another_customers_reply_is_not_given_out(bot: Bot) -> None:
    await ask(bot, "How long can I return things?")
    with pytest.raises(PermissionRefused):
        await ask(bot, "How long can I return things?", customer_id="c-2")


async def test_worded_sentences_stream_as_they_are_checked() -> None:
    words = "You can return items within 30 days. Gold members have 60 days."
    bot = await Bot(FakeGenerator(words)).open()
    pieces, reply = await ask(bot, "How long can I return things?")
    assert pieces == ["You can return items within 30 days.", " Gold members have 60 days."]
    assert reply.text == words


async def test_a_person_who_takes_over_while_the_bot_answers_has_the_conversation(bot: Bot) -> None:
    agent = says("I'll take this one.", "m-agent", role="agent", customer_id=None)
    bot.published.meanwhile = lambda: bot.hear(agent)
    _, reply = await ask(bot, "How long can I return things?")
    assert reply.action == "answer"
    known = bot.memory.conversations["default", "t-1"]
    assert [turn.id for turn in known.turns] == ["m-agent", "m-1", reply.reply_id]
    assert (await ask(bot, "and express?", "m-2"))[1].action == "handoff"
    await bot.hear(says("all yours", "m-3", role="agent", customer_id=None, hands_back=True))
    assert (await ask(bot, "How long can I return things?", "m-4"))[1].action == "answer"


async def test_a_request_begun_while_a_person_writes_is_not_forgotten(bot: Bot) -> None:
    bot.book.orders = [order("RX-1", status="paid")]
    agent = says("hello", "m-agent", role="agent", customer_id=None, hands_back=True)
    bot.published.meanwhile = lambda: bot.hear(agent)
    assert (await ask(bot, "cancel order RX-1"))[1].action == "confirm"
    assert (await ask(bot, "yes", "m-2"))[1].action == "act"
