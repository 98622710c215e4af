"""The catalogue in memory: what a view of catalog.v1 feeds in a service that needs titles, prices and stock."""

from __future__ import annotations

from collections.abc import Sequence

from rapport.bus.messages import Message
from rapport.events.catalog import ProductUpserted


class CatalogView:
    """The newest version of every product, by tenant.

    catalog = CatalogView()
    view = TopicView("content", "catalog.v1", catalog.apply, settings)
    """

    def __init__(self) -> None:
        self._products: dict[tuple[str, str], ProductUpserted] = {}

    async def apply(self, messages: Sequence[Message]) -> None:
        """Takes products in, and tombstones out."""
        for message in messages:
            place = (message.envelope.tenant, message.key)
            if isinstance(message.event, ProductUpserted):
                self._products[place] = message.event
            else:
                self._products.pop(place, None)

    def find(self, tenant: str, text: str, limit: int) -> list[ProductUpserted]:
        """Products on sale whose titles, category or brand hold every word of `text`, in order of id."""
        words = text.casefold().split()
        found = []
        for (owner, _), product in sorted(self._products.items()):
            told = " ".join([*product.title.values(), *product.category, product.brand or ""]).casefold()
            if owner == tenant and product.available and all(word in told for word in words):
                found.append(product)
                if len(found) == limit:
                    break
        return found

    def named(self, tenant: str, product_ids: Sequence[str]) -> dict[str, ProductUpserted]:
        """Those of `product_ids` that are in the catalogue."""
        wanted = {product_id: self._products.get((tenant, product_id)) for product_id in product_ids}
        return {product_id: product for product_id, product in wanted.items() if product}
