"""The content service's memories without Redis, so that a bench needs the model worker alone."""

from __future__ import annotations

from collections.abc import Sequence

from rapport.events.catalog import ProductUpserted
from rapport.events.content import ContentPublished, ContentRequested
from services.content.domain.templates import TemplateEntry


class Forgetful:
    """`Published` and `Recent` that keep nothing: every brief is written anew."""

    async def get(self, tenant: str, request_id: str) -> ContentPublished | None:
        return None

    async def put(self, tenant: str, content: ContentPublished) -> None:
        """Nothing is kept."""

    async def texts(self, tenant: str, key: str) -> tuple[str, ...]:
        return ()

    async def add(self, tenant: str, key: str, texts: Sequence[str]) -> None:
        """Nothing is kept."""


class Unranked:
    def ordered(self, brief: ContentRequested, entries: Sequence[TemplateEntry]) -> list[TemplateEntry]:
        return list(entries)


class Shelf:
    def __init__(self, products: Sequence[ProductUpserted]) -> None:
        self._products = {product.product_id: product for product in products}

    def named(self, tenant: str, product_ids: Sequence[str]) -> dict[str, ProductUpserted]:
        return {name: self._products[name] for name in product_ids if name in self._products}
