"""A click goes in, and profile, recommendation and chatbot know it: what a platform team sees, by public means."""

from __future__ import annotations

import uuid
from functools import partial

import pytest

from tests.e2e.api import Api, counted, eventually
from tests.e2e.goods import BY_ID, SHOES
from tests.e2e.page import Json, Page
from tests.e2e.shopfront import Publisher, subscription
from tests.e2e.stack import Stack
from tests.e2e.truth import Facts, looks_of, untrue

pytestmark = pytest.mark.timeout(500)  # the first test waits for the stack
VIEWED = ("e2e-shoe-1", "e2e-shoe-2", "e2e-shoe-3")


async def view(shop: Publisher, customer: str, *products: str) -> str:
    """The id of the last event."""
    event_id = ""
    for product in products:
        event_id = await shop.publish("product_viewed", {"customer_id": customer, "product_id": product})
    return event_id


async def looks(stack: Stack, page: Page) -> dict[str, set[str]]:
    async with subscription(page, "clickstream.v1", stack.bootstrap_servers) as clickstream:
        return looks_of(await clickstream.all())


def kinds(recommendation: Json) -> list[str]:
    return [BY_ID[item["product_id"]].kind for item in recommendation["items"]]


async def test_three_views_move_profile_recommendation_and_chat(
    stocked: Stack, page: Page, shop: Publisher, gateway: Api
) -> None:
    customer, others = f"e2e-{uuid.uuid4().hex}", [f"e2e-other-{number}-{uuid.uuid4().hex}" for number in range(2)]
    for other in others:
        await view(shop, other, "e2e-shoe-1", "e2e-shoe-5")
        await eventually(partial(gateway.profile, other), counted(2))

    assert await gateway.profile(customer) is None
    before = await gateway.recommendation(customer)
    assert before["strategy"] != "personalised"

    last = await view(shop, customer, *VIEWED)
    profile = await eventually(partial(gateway.profile, customer), counted(len(VIEWED)))
    assert profile is not None
    assert profile["needs"][0]["label"] == SHOES
    assert profile["needs"][0]["evidence"][0] == last
    assert profile["recent_product_ids"] == list(reversed(VIEWED))

    async with subscription(page, "recommendations.v1", stocked.bootstrap_servers) as recommendations:
        message = await recommendations.until(
            lambda read: read.key == customer and (read.payload or {})["trigger_event_id"] == last, 20
        )
    pushed = message.payload
    assert pushed is not None
    page.check("recommendation_made", pushed)
    assert message.headers["ce_type"] == "rapport.recommendation_made.v1"
    assert pushed["strategy"] == "personalised"
    assert kinds(pushed)[:3] == [SHOES] * 3
    shown = [item["product_id"] for item in pushed["items"]]
    assert not set(shown) & {*VIEWED, "e2e-shoe-out"}
    facts = Facts({need["label"] for need in profile["needs"]}, await looks(stocked, page))
    assert [problem for item in pushed["items"] for problem in untrue(item, customer, facts)] == []

    after = await gateway.recommendation(customer)
    assert after["strategy"] == "personalised"
    assert [item["product_id"] for item in after["items"]] != [item["product_id"] for item in before["items"]]
    assert kinds(after)[0] == SHOES

    answer = await gateway.chat("what would you recommend?", customer_id=customer)
    assert answer.reply["action"] == "ACTION_RECOMMEND"
    assert answer.streamed == answer.text
    assert answer.reply["product_ids"][0] == shown[0]
    assert set(answer.reply["product_ids"]) <= set(shown)
    assert all(BY_ID[product].en in answer.text for product in answer.reply["product_ids"])
    assert pushed["items"][0]["reasons"][0]["text"] in answer.text


async def test_what_was_bought_is_not_recommended_again(shop: Publisher, gateway: Api) -> None:
    customer = f"e2e-{uuid.uuid4().hex}"
    await view(shop, customer, "e2e-toy-1")
    bought = {"product_id": "e2e-toy-2", "quantity": 1, "price": "49.00", "currency": "EUR"}
    order = {"order_id": f"o-{customer}", "total": "53.90", "currency": "EUR", "products": [bought]}
    await shop.publish("order_completed", {"customer_id": customer, **order})
    profile = await eventually(partial(gateway.profile, customer), counted(2))
    assert profile is not None
    assert (profile["value"]["order_count"], profile["value"]["revenue"]) == (1, "53.90")
    found = await gateway.recommendation(customer)
    shown = [item["product_id"] for item in found["items"]]
    assert "e2e-toy-2" not in shown
    assert kinds(found)[0] == BY_ID["e2e-toy-2"].kind
