"""A click goes in, and profile, recommendation and chatbot know it: what a platform team sees, by public means."""

from __future__ import annotations

import uuid
from functools import partial

import pytest

from tests.e2e.api import Api, counted, eventually
from tests.e2e.goods import BY_ID, SHOES
from tests.e2e.page import Json, Page
from tests.e2e.shopfront import Publisher, Read, Subscription, subscription
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


async def pushed_and_asked(recommendations: Subscription, gateway: Api, customer: str) -> tuple[Read | None, Json]:
    """The newest recommendation on the topic, and the one that is answered now."""
    asked = await gateway.recommendation(customer)
    pushed = [read for read in await recommendations.all() if read.key == customer]
    return (pushed[-1] if pushed else None), asked


def first(recommendation: Json | None) -> list[str]:
    """What a shop shows: a change below it is not worth a message."""
    return [item["product_id"] for item in (recommendation or {"items": []})["items"][:5]]


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
        message, after = await eventually(
            partial(pushed_and_asked, recommendations, gateway, customer),
            lambda found: found[0] is not None and first(found[0].payload) == first(found[1]),
        )
    assert message is not None
    pushed = message.payload
    assert pushed is not None
    # An answer that did not change is not pushed again: any of the views may be the one that it follows from.
    assert pushed["trigger_event_id"] in profile["needs"][0]["evidence"]
    page.check("recommendation_made", pushed)
    assert message.headers["ce_type"] == "rapport.recommendation_made.v1"
    assert pushed["strategy"] == "personalised"
    assert kinds(pushed)[:3] == [SHOES] * 3
    shown = [item["product_id"] for item in pushed["items"]]
    assert not set(shown) & {*VIEWED, "e2e-shoe-out"}
    facts = Facts({need["label"] for need in profile["needs"]}, await looks(stocked, page))
    assert [problem for item in pushed["items"] for problem in untrue(item, customer, facts)] == []

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
