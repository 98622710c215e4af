"""Copy: a brief comes back as text whose facts are the catalogue's, and lies on the topic."""

from __future__ import annotations

import re
import uuid
from decimal import Decimal

import pytest

from tests.e2e.api import Api, eventually
from tests.e2e.goods import BY_ID
from tests.e2e.page import Json, Page
from tests.e2e.shopfront import Publisher, subscription
from tests.e2e.stack import Stack

# The first test waits for the stack; the language model takes some seconds a try on two cores.
pytestmark = pytest.mark.timeout(500)


def amounts(text: str) -> set[Decimal]:
    """Euro amounts in a text."""
    return {Decimal(found) for found in re.findall(r"€\s?(\d+(?:\.\d+)?)", text)}


def brief(language: str) -> Json:
    return {
        "request_id": f"e2e-{uuid.uuid4().hex}",
        "kind": "campaign",
        "channel": "sms",
        "language": language,
        "product_ids": ["e2e-shoe-1"],
        "discount_percent": 20,
        "ends_at": "2027-03-12T00:00:00Z",
    }


@pytest.mark.parametrize(("language", "discount"), [("en", "20%"), ("zh", "8折")])
async def test_a_campaign_states_the_discount_and_the_price_that_follows(
    language: str, discount: str, stocked: Stack, page: Page, gateway: Api
) -> None:
    wanted = brief(language)
    page.check("content_requested", wanted)
    created = await gateway.content(wanted)
    async with subscription(page, "content.published.v1", stocked.bootstrap_servers) as published:
        message = await published.until(lambda read: read.key == wanted["request_id"], 20)
    content = message.payload
    assert content is not None
    page.check("content_published", content)
    assert [variant["text"] for variant in content["variants"]] == [each["text"] for each in created["variants"]]
    text = content["variants"][0]["text"]
    good = BY_ID["e2e-shoe-1"]
    assert (good.zh if language == "zh" else good.en) in text
    assert amounts(text) <= {Decimal(129), Decimal("103.20")}
    assert discount in text or Decimal("103.20") in amounts(text)
    assert content["variants"][0]["trail"][-1]["accepted"]


async def test_a_brief_from_kafka_is_published_once(stocked: Stack, page: Page, shop: Publisher) -> None:
    wanted = brief("zh") | {"kind": "subject_line", "channel": "email"}
    # Sent twice, as a client does that saw no answer the first time.
    for event_id in ("first", "again"):
        await shop.publish("content_requested", wanted, ce_id=f"{wanted['request_id']}-{event_id}")
    async with subscription(page, "content.published.v1", stocked.bootstrap_servers) as published:
        first = await published.until(lambda read: read.key == wanted["request_id"], 30)
        same = [read for read in await published.all() if read.key == wanted["request_id"]]
    assert first.payload is not None
    assert {read.headers["ce_id"] for read in same} == {first.headers["ce_id"]}
    assert {read.payload["variants"][0]["text"] for read in same if read.payload} == {
        first.payload["variants"][0]["text"]
    }


async def test_a_recommendation_gets_a_line_that_names_its_first_product(
    stocked: Stack, page: Page, shop: Publisher, gateway: Api
) -> None:
    customer = f"e2e-{uuid.uuid4().hex}"
    await shop.publish("product_viewed", {"customer_id": customer, "product_id": "e2e-coffee-1"})
    await eventually(lambda: gateway.profile(customer), lambda found: found is not None)
    async with subscription(page, "recommendations.v1", stocked.bootstrap_servers) as recommendations:
        made = (await recommendations.until(lambda read: read.key == customer, 20)).payload
    assert made is not None
    async with subscription(page, "content.published.v1", stocked.bootstrap_servers) as published:
        line = (await published.until(lambda read: read.key == made["recommendation_id"], 60)).payload
    assert line is not None
    first = BY_ID[made["items"][0]["product_id"]]
    assert line["product_ids"] == [first.product_id]
    assert first.en in line["variants"][0]["text"]
    assert amounts(line["variants"][0]["text"]) <= {Decimal(first.price)}
