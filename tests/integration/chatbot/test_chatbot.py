"""The chatbot on a real broker and a real Redis, with a worker that has no weights."""

from __future__ import annotations

import asyncio

import grpc
import pytest
import redis

from deploy.local.servers import EmbeddedServers
from rapport.events.chat import ChatMessage
from rapport.testing import random_name
from services.chatbot import bootstrap
from tests.integration.chatbot.conftest import Desk, opened, running, until
from tests.unit.chatbot.conftest import ARTICLES, order, says


async def test_messages_on_kafka_are_answered_once_each_and_in_order(desk: Desk) -> None:
    await desk.publish(order("RX-1001"), order("RX-9", customer_id="c-2"))
    said = [says("What does shipping cost?", f"m-{n}", conversation_id=f"t-{n % 3}") for n in range(9)]
    # Each twice, under two event ids, as a channel does that did not hear back.
    await desk.publish(*said, *said)
    for one in said:
        assert (await desk.reply_to(one.message_id)).action == "answer"
    replies = await desk.read("chat.replies.v1")
    assert len(replies) == 9
    for conversation in ("t-0", "t-1", "t-2"):
        order_said = [one.in_reply_to for one in replies if one.conversation_id == conversation]
        assert order_said == sorted(order_said)

    async def known() -> bool:
        _, reply = await desk.converse("where is my order?", customer_id="c-1")
        return reply.order_id == "RX-1001"

    await until(known, 20, "the order is known")
    _, reply = await desk.converse("where is my order RX-9?", customer_id="c-1")
    assert "did not find RX-9" in reply.text


async def test_orders_keep_their_newest_state_and_can_be_withdrawn(desk: Desk) -> None:
    customer = random_name("c")
    new = order("RX-5", customer_id=customer, status="delivered", updated_at="2026-03-09T00:00:00Z")
    await desk.publish(order("RX-4", customer_id=customer), new)
    await desk.publish(order("RX-5", customer_id=customer, status="shipped"))

    async def told(word: str) -> bool:
        _, reply = await desk.converse("RX-5", customer_id=customer)
        return word in reply.text

    await until(lambda: told("has been delivered"), 20, "delivered")
    await desk.publish(order("RX-4", customer_id=customer, status="refunded", updated_at="2026-03-10T00:00:00Z"))

    async def refunded() -> bool:
        _, reply = await desk.converse("RX-4", customer_id=customer)
        return "refunded" in reply.text

    await until(refunded, 20, "refunded")
    assert await told("has been delivered")
    await desk.withdraw("orders.v1", "RX-5")
    await until(lambda: told("did not find"), 20, "withdrawn")


async def test_orders_that_redis_lost_come_back(servers: EmbeddedServers) -> None:
    async with opened(servers, "dummy", order_check_s=0.2) as (desk, _):
        await desk.publish(order("RX-1001"), order("RX-1002"), order("RX-1001", status="delivered"))
        await desk.withdraw("orders.v1", "RX-1002")

        async def delivered() -> bool:
            _, reply = await desk.converse("where is my order?", customer_id="c-1")
            return "has been delivered" in reply.text

        await until(delivered, 20, "the orders are known")
        connection = redis.from_url(servers.redis_url)
        for key in connection.scan_iter(f"{desk.settings.tenant}:*"):
            connection.delete(key)
        connection.close()
        await until(delivered, 20, "the orders are back")
        _, reply = await desk.converse("RX-1002", customer_id="c-1")
        assert "did not find" in reply.text


async def test_converse_streams_logs_and_repeats_itself(desk: Desk) -> None:
    fields = {"conversation_id": random_name("t"), "message_id": random_name("m"), "customer_id": "c-1"}
    pieces, reply = await desk.converse("How long can I return things?", **fields)
    assert len(pieces) > 1
    assert "".join(pieces) == reply.text
    assert (await desk.converse("How long can I return things?", **fields))[1] == reply
    [message] = await desk.read("chat.messages.v1")
    assert isinstance(message, ChatMessage)
    assert (message.channel, message.message_id) == ("converse", fields["message_id"])
    assert (await desk.reply_to(fields["message_id"])).reply_id == reply.reply_id
    # Its own log comes back to the bot, which must not answer it again.
    await asyncio.sleep(0)
    await desk.publish(says("What does shipping cost?", "m-later"))
    await desk.reply_to("m-later")
    assert len(await desk.read("chat.replies.v1")) == 2


async def test_a_person_takes_over_and_hands_back(desk: Desk) -> None:
    await desk.publish(says("What does shipping cost?", "m-1"))
    await desk.reply_to("m-1")
    await desk.publish(says("我要人工", "m-2"))
    assert (await desk.reply_to("m-2")).action == "handoff"
    [handoff] = await desk.read("chat.handoffs.v1")
    assert [line.role for line in handoff.transcript] == ["customer", "bot", "customer", "bot"]
    pieces, reply = await desk.converse("hello?", conversation_id="t-1", customer_id="c-1")
    assert (pieces, reply.text) == ([], "")
    await desk.publish(says("done", "m-3", role="agent", customer_id=None, hands_back=True))
    await desk.publish(says("What does shipping cost?", "m-4"))
    assert (await desk.reply_to("m-4")).action == "answer"


async def test_a_withdrawn_article_is_gone_and_a_new_one_is_found(desk: Desk) -> None:
    async def action(text: str) -> str:
        _, reply = await desk.converse(text)
        return reply.sources[0].id if reply.sources else "refused"

    assert await action("What does shipping cost?") == "a-shipping"
    await desk.withdraw("knowledge.v1", "a-shipping")

    async def refused() -> bool:
        return await action("What does shipping cost?") == "refused"

    await until(refused, 20, "withdrawn")
    await desk.publish(ARTICLES[3].model_copy(update={"article_id": "a-new"}))

    async def found() -> bool:
        return await action("What does shipping cost?") == "a-new"

    await until(found, 20, "found")


async def test_peers_that_are_down_are_admitted_and_nothing_breaks(servers: EmbeddedServers) -> None:
    async with opened(servers, "dummy", ARTICLES, recommender_timeout_s=0.3) as (desk, worker):
        _, reply = await desk.converse("what would you recommend?", customer_id="c-1")
        assert "can't reach our recommendations" in reply.text
        for part in reversed(worker):
            await part.stop()
        _, reply = await desk.converse("How long can I return things?")
        assert reply.sources[0].id == "a-returns-en"
        servers.stop_redis()
        try:
            _, reply = await desk.converse("How long can I return things?", customer_id="c-1")
            assert reply.sources[0].id == "a-returns-en"
            _, reply = await desk.converse("where is my order?", customer_id="c-1")
            assert "can't look at the orders" in reply.text
        finally:
            servers.start_redis()


async def test_a_restart_remembers_conversations_and_answers_nothing_twice(desk: Desk) -> None:
    await desk.publish(says("What does shipping cost?", "m-1"), ids=["e-1"])
    first = await desk.reply_to("m-1")
    other = desk.settings.model_copy(update={"tenant": desk.settings.tenant})
    async with running(bootstrap.parts(other)) as told:
        second = Desk(other, desk.producer, told["chatbot"])
        _, reply = await second.converse(
            "What does shipping cost?", conversation_id="t-1", message_id="m-1", customer_id="c-1"
        )
        assert reply.reply_id == first.reply_id
        with pytest.raises(grpc.aio.AioRpcError):
            await second.converse("hello", conversation_id="t-1", customer_id="c-2")
        await desk.publish(says("What does shipping cost?", "m-1"), says("and express?", "m-2"))
        assert (await desk.reply_to("m-2")).sources[0].id == "a-shipping"
    assert len(await desk.read("chat.replies.v1")) == 2
