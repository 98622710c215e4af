"""What a customer is told: from the shop's articles with their source, about their own orders, or by a person."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from functools import partial

import pytest

from tests.e2e.api import Api, eventually
from tests.e2e.goods import ARTICLES
from tests.e2e.page import Json, Page
from tests.e2e.shopfront import Publisher, subscription
from tests.e2e.stack import Stack

pytestmark = pytest.mark.timeout(500)  # the first test waits for the stack
BODY = {article["article_id"]: article["body"] for article in ARTICLES}


@pytest.mark.parametrize(
    ("question", "source", "fact"),
    [
        ("买了的东西不喜欢，怎么退回去？", "e2e-returns-zh", "45天"),
        ("寄到德国一般要几天？", "e2e-delivery-zh", "2到3个工作日"),
        ("How many days do I have to send something back?", "e2e-returns-en", "45 days"),
    ],
)
async def test_a_question_is_answered_from_the_article_in_its_language(
    question: str, source: str, fact: str, gateway: Api
) -> None:
    answer = await gateway.chat(question)
    assert answer.reply["action"] == "ACTION_ANSWER"
    assert fact in answer.text
    quoted = answer.reply["sources"][0]
    assert quoted["id"] == source
    assert quoted["quote"] in BODY[source]
    assert quoted["quote"] in answer.text


async def test_what_no_article_answers_is_not_made_up(gateway: Api) -> None:
    answer = await gateway.chat("Which star is nearest to the sun?")
    assert answer.reply["action"] == "ACTION_REFUSE"
    assert answer.source_ids == []


def order(number: str, customer: str) -> Json:
    now = datetime.now(UTC).isoformat()
    return {
        "order_id": number,
        "customer_id": customer,
        "status": "shipped",
        "placed_at": now,
        "updated_at": now,
        "lines": [{"product_id": "e2e-toy-3", "quantity": 1, "price": "29.00"}],
        "total": "33.90",
        "currency": "EUR",
        "carrier": "Postbote",
        "tracking_number": f"T{number}",
    }


async def test_only_the_own_order_is_told(shop: Publisher, gateway: Api) -> None:
    one, other = (f"e2e-{uuid.uuid4().hex}" for _ in range(2))
    mine, theirs = (str(uuid.uuid4().int % 10**10 + 10**10) for _ in range(2))
    await shop.publish("order_updated", order(mine, one))
    await shop.publish("order_updated", order(theirs, other))
    for customer, number in ((one, mine), (other, theirs)):
        own = await eventually(
            partial(gateway.chat, f"Where is my order {number}?", customer_id=customer),
            lambda answer: answer.reply["action"] == "ACTION_ORDER_STATUS",
        )
        assert own.reply["order_id"] == number
        assert all(told in own.text for told in (number, "on its way", "Postbote", f"T{number}"))

    refused = await gateway.chat(f"Where is my order {theirs}?", customer_id=one)
    assert refused.reply["action"] != "ACTION_ORDER_STATUS"
    assert "did not find" in refused.text
    assert not any(told in refused.text for told in ("on its way", "Postbote", f"T{theirs}"))
    assert refused.source_ids == []

    anonymous = await gateway.chat(f"Where is my order {mine}?")
    assert "sign in" in anonymous.text
    assert "Postbote" not in anonymous.text


async def test_asking_for_a_person_calls_one_with_what_was_said(stocked: Stack, page: Page, gateway: Api) -> None:
    customer, conversation = f"e2e-{uuid.uuid4().hex}", f"e2e-{uuid.uuid4().hex}"
    about = {"customer_id": customer, "conversation_id": conversation}
    await gateway.chat("How many days do I have to send something back?", **about)
    answer = await gateway.chat("I want to talk to a human", **about)
    assert answer.reply["action"] == "ACTION_HANDOFF"
    async with subscription(page, "chat.handoffs.v1", stocked.bootstrap_servers) as handoffs:
        handoff = (await handoffs.until(lambda read: read.key == conversation, 20)).payload
    assert handoff is not None
    page.check("handoff_requested", handoff)
    assert handoff["customer_id"] == customer
    assert [line["role"] for line in handoff["transcript"]] == ["customer", "bot", "customer", "bot"]
    assert "send something back" in handoff["summary"]


async def test_a_message_from_a_channel_is_answered_on_the_topic(stocked: Stack, page: Page, shop: Publisher) -> None:
    conversation, message = f"e2e-{uuid.uuid4().hex}", f"e2e-{uuid.uuid4().hex}"
    said = {"conversation_id": conversation, "message_id": message, "text": "怎么退货？"}
    await shop.publish("chat_message", said)
    async with subscription(page, "chat.replies.v1", stocked.bootstrap_servers) as replies:
        reply = (await replies.until(lambda read: read.key == conversation, 20)).payload
    assert reply is not None
    page.check("chat_reply", reply)
    assert reply["in_reply_to"] == message
    assert reply["sources"][0]["id"] == "e2e-returns-zh"
