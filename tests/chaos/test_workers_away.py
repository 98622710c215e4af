"""Every worker is killed and stays away: each service gives the answer that its README declares, none ends, and what
was held back is done once the worker is back.
"""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from itertools import count

import pytest

from deploy.local.supervisor_client import Supervisor
from tests.chaos.disturbances import READY_S, until
from tests.e2e.api import Answer, Api, api, counted, eventually
from tests.e2e.goods import BY_ID, SHOES
from tests.e2e.page import Json, Page
from tests.e2e.shopfront import Publisher, publisher
from tests.e2e.stack import Stack

pytestmark = pytest.mark.timeout(600)

SERVICES = ("profiler", "recommender", "chatbot", "content")
WORKERS = tuple(f"{service}-worker" for service in SERVICES)
# Words that no article has, of what one says: found by meaning alone.
PARAPHRASE = "买了的东西不喜欢，怎么退回去？"
_DISCOUNTS = count()


@asynccontextmanager
async def workers_away(stack: Stack) -> AsyncIterator[None]:
    """Inside, all four are gone: `kill -9`, and nobody starts them. Afterwards they are back and ready."""
    supervisor = Supervisor(stack.home.socket)
    for worker in WORKERS:
        os.kill(stack.pid(worker), signal.SIGKILL)
    supervisor.stop(WORKERS)
    await until(lambda: not any(map(stack.pid, WORKERS)), READY_S, "the workers are still there")
    try:
        yield
    finally:
        supervisor.start(WORKERS)
        await until(lambda: all(map(stack.is_ready, WORKERS)), READY_S, "the workers do not come back")


async def test_services_give_their_declared_answers_without_workers_and_recover_by_themselves(
    stocked: Stack, page: Page
) -> None:
    customer, product = f"away-{uuid.uuid4().hex}", f"away-{uuid.uuid4().hex[:8]}"
    before = {service: stocked.pid(service) for service in SERVICES}
    async with publisher(page, stocked.bootstrap_servers) as shop, api(stocked) as gateway:
        await shop.publish("product_viewed", {"customer_id": customer, "product_id": "e2e-shoe-1"})
        await eventually(partial(gateway.profile, customer), counted(1))
        async with workers_away(stocked):
            # What nobody has embedded yet: it must wait for the worker.
            await shop.publish("products_searched", {"customer_id": customer, "query": f"shoes {uuid.uuid4().hex}"})
            await recommender_goes_on(shop, gateway, customer, product)
            await chatbot_compares_words(gateway)
            await content_takes_its_templates(gateway)
            profile = await gateway.profile(customer)
            assert counted(1)(profile), "an event was counted without having been understood"
            assert all(map(stocked.is_ready, SERVICES))
        await eventually(partial(gateway.profile, customer), counted(2), READY_S)
        await eventually(partial(near, gateway, product), bool, READY_S)
        await eventually(partial(gateway.chat, PARAPHRASE), from_its_article, READY_S)
        written = await eventually(partial(gateway.content, brief()), by_the_model, READY_S)
        assert written["variants"]
    assert {service: stocked.pid(service) for service in SERVICES} == before


async def recommender_goes_on(shop: Publisher, gateway: Api, customer: str, product: str) -> None:
    """Customers get their answers; a new product is sold, though not found by meaning yet."""
    found = await gateway.recommendation(customer)
    assert BY_ID[found["items"][0]["product_id"]].kind == SHOES
    await shop.publish("product_upserted", BY_ID["e2e-shoe-2"].payload() | {"product_id": product, "category": ["New"]})
    await eventually(partial(gateway.recommendation, "", 100), lambda told: product in shown(told), READY_S)
    assert not await near(gateway, product)


async def chatbot_compares_words(gateway: Api) -> None:
    """A question in an article's own words is answered from it; other words are refused, not guessed at."""
    told = await gateway.chat("Which ways to pay do you accept, credit cards or bank transfer?")
    assert told.source_ids == ["e2e-payment-en"]
    refused = await gateway.chat("Which star is nearest to the sun?")
    assert refused.reply["action"] == "ACTION_REFUSE"


async def content_takes_its_templates(gateway: Api) -> None:
    created = await gateway.content(brief())
    assert created["variants"]
    assert not by_the_model(created)
    assert BY_ID["e2e-shoe-1"].en in created["variants"][0]["text"]


def brief() -> Json:
    """Another one each time: finished copy is remembered."""
    return {
        "request_id": f"away-{uuid.uuid4().hex}",
        "kind": "campaign",
        "channel": "email",
        "language": "en",
        "product_ids": ["e2e-shoe-1"],
        "discount_percent": 10 + next(_DISCOUNTS),
        "ends_at": "2027-03-12T00:00:00Z",
    }


def by_the_model(created: Json) -> bool:
    """Whether the language model wrote something, be it refused: a try without words is one that it did not answer."""
    tries = [decision for variant in created["variants"] for decision in variant["trail"]]
    return any(one["author"] == "model" and one.get("text") for one in tries)


def shown(recommendation: Json) -> set[str]:
    return {item["product_id"] for item in recommendation["items"]}


async def near(gateway: Api, product: str) -> bool:
    """Whether products are found that are similar to it by meaning."""
    answer = await gateway.client.get(f"/v1/similar/{product}", params={"limit": 3})
    items = answer.json().get("items", []) if answer.status_code == 200 else []
    return bool(items) and all(item.get("source_scores") for item in items)


def from_its_article(answer: Answer) -> bool:
    return answer.source_ids == ["e2e-returns-zh"]
