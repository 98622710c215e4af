"""The catalogue as a conversation needs it: by id, by variant group, and searched by words."""

from __future__ import annotations

from collections.abc import Sequence

from rapport.bus.catalog import CatalogView
from rapport.bus.messages import Message
from rapport.events.catalog import ProductUpserted
from services.chatbot.domain.lexical import Lexicon
from services.chatbot.domain.words import product_words


class ShopCatalog:
    """`Products`, fed by a view of catalog.v1."""

    def __init__(self) -> None:
        self._view = CatalogView()
        self._groups: dict[tuple[str, str], set[str]] = {}
        self._lexicons: dict[str, Lexicon] = {}

    async def apply(self, messages: Sequence[Message]) -> None:
        """Takes products in, and tombstones out."""
        for message in messages:
            tenant, product = message.envelope.tenant, message.event
            self._forget(tenant, message.key)
            if isinstance(product, ProductUpserted):
                self._lexicons.setdefault(tenant, Lexicon()).put(product.product_id, _words(product))
                if product.group_id is not None:
                    self._groups.setdefault((tenant, product.group_id), set()).add(product.product_id)
        await self._view.apply(messages)

    def named(self, tenant: str, product_ids: Sequence[str]) -> dict[str, ProductUpserted]:
        return self._view.named(tenant, product_ids)

    def variants(self, tenant: str, group_id: str) -> list[ProductUpserted]:
        return list(self._view.named(tenant, sorted(self._groups.get((tenant, group_id), ()))).values())

    def search(self, tenant: str, query: str) -> list[tuple[ProductUpserted, float]]:
        if tenant not in self._lexicons:
            return []
        scores = self._lexicons[tenant].scores(product_words(query))
        found = self._view.named(tenant, [product_id for product_id, score in scores.items() if score > 0])
        return [(product, scores[product_id]) for product_id, product in found.items() if product.available]

    def _forget(self, tenant: str, product_id: str) -> None:
        before = self._view.named(tenant, [product_id]).get(product_id)
        if before is None:
            return
        self._lexicons[tenant].remove(product_id)
        if before.group_id is not None:
            self._groups[tenant, before.group_id].discard(product_id)


def _words(product: ProductUpserted) -> list[str]:
    """Titles count twice: what a thing is called tells more than what is said of it."""
    values = [str(value) for value in product.attributes.values() if isinstance(value, str)]
    texts = [*product.title.values()] * 2 + [*product.description.values(), *product.category, product.brand or ""]
    return product_words("\n".join([*texts, *values]))
