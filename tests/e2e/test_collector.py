"""Segment's calls, as Segment's own libraries send them, become events on the topic and a profile."""

from __future__ import annotations

import uuid
from functools import partial

import httpx
import pytest

from tests.e2e.api import Api, counted, eventually
from tests.e2e.page import Json, Page
from tests.e2e.shopfront import subscription
from tests.e2e.stack import Stack

pytestmark = pytest.mark.timeout(500)  # the first test waits for the stack


def calls(customer: str, anonymous: str) -> list[Json]:
    line = {"product_id": "e2e-coffee-2", "price": 59.0, "quantity": 2}
    order = {"order_id": f"o-{customer}", "total": 118.0, "currency": "EUR", "products": [line]}
    made: list[Json] = [
        {"type": "page", "anonymousId": anonymous, "name": "Home"},
        {"type": "identify", "userId": customer, "anonymousId": anonymous, "traits": {"plan": "gold"}},
        {"type": "track", "userId": customer, "event": "Products Searched", "properties": {"query": "coffee kettle"}},
        {"type": "track", "userId": customer, "event": "Product Viewed", "properties": {"product_id": "e2e-coffee-2"}},
        {"type": "track", "userId": customer, "event": "Order Completed", "properties": order},
        {"type": "track", "userId": customer, "event": "Moon Phase Changed"},
    ]
    return [{**call, "messageId": f"{customer}-{number}"} for number, call in enumerate(made)]


async def test_a_batch_lands_on_the_topic_and_in_the_profile(stocked: Stack, page: Page, gateway: Api) -> None:
    customer, anonymous = f"e2e-{uuid.uuid4().hex}", f"e2e-anonymous-{uuid.uuid4().hex}"
    async with httpx.AsyncClient(base_url=stocked.address("gateway"), auth=(stocked.write_key, "")) as client:
        answer = await client.post("/v1/batch", json={"batch": calls(customer, anonymous)})
        forbidden = await client.get(f"/v1/profiles/{customer}")
    assert answer.status_code == 200
    assert answer.json()["accepted"] == 5
    assert [(refused["index"], refused["field"]) for refused in answer.json()["refused"]] == [(5, "event")]
    assert forbidden.status_code == 403

    async with subscription(page, "clickstream.v1", stocked.bootstrap_servers) as clickstream:
        landed = {read.headers["ce_id"]: read for read in await clickstream.all()}
    types = {number: landed[f"{customer}-{number}"].headers["ce_type"] for number in range(5)}
    assert types == {
        0: "rapport.page_viewed.v1",
        1: "rapport.identify.v1",
        2: "rapport.products_searched.v1",
        3: "rapport.product_viewed.v1",
        4: "rapport.order_completed.v1",
    }
    assert landed[f"{customer}-0"].key == anonymous
    assert {landed[f"{customer}-{number}"].key for number in range(1, 5)} == {customer}
    for number, event in enumerate(("page_viewed", "identify", "products_searched", "product_viewed")):
        payload = landed[f"{customer}-{number}"].payload
        assert payload is not None
        page.check(event, payload)

    # The fifth is the page that was seen before signing in.
    profile = await eventually(partial(gateway.profile, customer), counted(5))
    assert profile is not None
    assert profile["value"] | {"last_order_at": ""} == {
        "last_order_at": "",
        "order_count": 1,
        "revenue": "118.0",
        "currency": "EUR",
    }
    assert profile["session"]["funnel_stage"] == "purchase"
    before = await gateway.profile(anonymous)
    assert before is not None
    assert before["customer_id"] == customer


async def test_the_same_batch_sent_again_counts_once(stocked: Stack, page: Page, gateway: Api) -> None:
    customer, anonymous = f"e2e-{uuid.uuid4().hex}", f"e2e-anonymous-{uuid.uuid4().hex}"
    batch = calls(customer, anonymous)[1:5]
    async with httpx.AsyncClient(base_url=stocked.address("gateway"), auth=(stocked.write_key, "")) as client:
        for _ in range(3):
            assert (await client.post("/v1/batch", json={"batch": batch})).json()["accepted"] == 4
        # Comes after them on the same partition: once it is in a profile, the repeats have been handled.
        last = {"userId": customer, "name": "Last", "messageId": f"{customer}-last"}
        await client.post("/v1/page", json=last)
    async with subscription(page, "profiles.v1", stocked.bootstrap_servers) as profiles:
        profile = await profiles.until(
            lambda read: (read.payload or {}).get("trigger_event_id") == f"{customer}-last", 20
        )
    assert profile.payload is not None
    assert (profile.payload["event_count"], profile.payload["value"]["order_count"]) == (5, 1)
    known = await gateway.profile(customer)
    assert known is not None
    assert known["event_count"] == 5
