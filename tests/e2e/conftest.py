"""The tests' own shop, published once through the AsyncAPI page and known to every service before the first test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.e2e.api import Api, api, eventually
from tests.e2e.goods import ARTICLES, GOODS
from tests.e2e.page import Page
from tests.e2e.shopfront import Publisher, publish_all, publisher
from tests.e2e.stack import Stack


@pytest.fixture(scope="session")
def page() -> Page:
    return Page()


@pytest.fixture(scope="session")
def stocked(stack: Stack, page: Page) -> Stack:
    """The stack with catalogue and articles."""
    asyncio.run(_stock(stack, page))
    return stack


@pytest.fixture
async def shop(stocked: Stack, page: Page) -> AsyncIterator[Publisher]:
    async with publisher(page, stocked.bootstrap_servers) as one:
        yield one


@pytest.fixture
async def gateway(stocked: Stack) -> AsyncIterator[Api]:
    async with api(stocked) as one:
        yield one


async def _stock(stack: Stack, page: Page) -> None:
    async with publisher(page, stack.bootstrap_servers) as shop:
        await publish_all(shop, [("product_upserted", good.payload()) for good in GOODS])
        await publish_all(shop, [("article_upserted", each) for each in ARTICLES])
    async with api(stack) as gateway:
        on_sale = {good.product_id for good in GOODS if good.stock}
        await eventually(lambda: _recommended(gateway), lambda found: found == on_sale, 60)
        await eventually(
            lambda: gateway.chat("Which ways to pay are there?"),
            lambda answer: "e2e-payment-en" in answer.source_ids,
            60,
        )


async def _recommended(gateway: Api) -> set[str]:
    """Everything that may be shown to anybody, once its text is embedded: similar products need the vectors."""
    shown = {item["product_id"] for item in (await gateway.recommendation("", limit=100))["items"]}
    near = await gateway.client.get("/v1/similar/e2e-shoe-1", params={"limit": 3})
    embedded = near.status_code == 200 and all(item.get("source_scores") for item in near.json()["items"])
    return shown if embedded else set()
