"""Fills the shop before the first test, through the AsyncAPI page, and waits until every service knows it."""

from __future__ import annotations

from tests.e2e.api import Api, api, eventually
from tests.e2e.goods import ARTICLES, GOODS
from tests.e2e.page import Page
from tests.e2e.shopfront import publish_all, publisher
from tests.e2e.stack import Stack

_KNOWN_WITHIN_S = 60.0


async def stock(stack: Stack, page: Page) -> None:
    """Publishes catalogue and articles; returns once they are recommended and quoted."""
    async with publisher(page, stack.bootstrap_servers) as shop:
        await publish_all(shop, [("product_upserted", good.payload()) for good in GOODS])
        await publish_all(shop, [("article_upserted", each) for each in ARTICLES])
    async with api(stack) as gateway:
        on_sale = {good.product_id for good in GOODS if good.stock}
        await eventually(lambda: _recommended(gateway), on_sale.issubset, _KNOWN_WITHIN_S)
        await eventually(
            lambda: gateway.chat("Which ways to pay are there?"),
            lambda answer: "e2e-payment-en" in answer.source_ids,
            _KNOWN_WITHIN_S,
        )


async def _recommended(gateway: Api) -> set[str]:
    """Everything that may be shown to anybody, once its text is embedded: similar products need the vectors."""
    shown = {item["product_id"] for item in (await gateway.recommendation("", limit=100))["items"]}
    near = await gateway.client.get("/v1/similar/e2e-shoe-1", params={"limit": 3})
    embedded = near.status_code == 200 and all(item.get("source_scores") for item in near.json()["items"])
    return shown if embedded else set()
