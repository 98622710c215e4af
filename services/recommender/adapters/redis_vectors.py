"""Item vectors in Redis, by product, each with the hash of the text that it was made of."""

from __future__ import annotations

from collections.abc import Sequence

from rapport.vectors.key_values import KeyValues
from rapport.vectors.keys import Space, document, embedding
from rapport.vectors.packing import unpack
from rapport.vectors.store import EmbeddingStore
from services.recommender.domain.products import Product, content_hash
from services.recommender.ports import Vectors

_ITEM, _TEXT = "item", "item-text"


class RedisItemVectors:
    """`ItemVectors`: embeddings of kind `item` that any service may read."""

    def __init__(self, key_values: KeyValues) -> None:
        self._kv, self._store = key_values, EmbeddingStore(key_values)

    async def space(self, tenant: str) -> str | None:
        space = await self._store.live(tenant, _ITEM)
        return str(space) if space else None

    async def known(self, tenant: str, space: str, products: Sequence[Product]) -> dict[str, Vectors]:
        parsed = Space.parse(space)
        names = [document(tenant, _TEXT, product.product_id) for product in products]
        names += [embedding(tenant, _ITEM, parsed, product.product_id) for product in products]
        found = await self._kv.read(names)
        stamps, vectors = found[: len(products)], found[len(products) :]
        return {
            product.product_id: unpack(vector)
            for product, stamp, vector in zip(products, stamps, vectors, strict=True)
            if vector is not None and stamp == _stamp(space, product)
        }

    async def keep(self, tenant: str, space: str, products: Sequence[Product], vectors: Vectors) -> None:
        by_id = {product.product_id: vector for product, vector in zip(products, vectors, strict=True)}
        values, once, members = self._store.writes(tenant, _ITEM, Space.parse(space), by_id)
        # After the vectors: a stamp must never stand beside a vector of an older text.
        stamps = {document(tenant, _TEXT, product.product_id): _stamp(space, product) for product in products}
        await self._kv.write(values | stamps, if_absent=once, members=members)

    async def forget(self, tenant: str, product_ids: Sequence[str]) -> None:
        await self._store.delete(tenant, _ITEM, product_ids)
        await self._kv.delete([document(tenant, _TEXT, product_id) for product_id in product_ids])

    async def use(self, tenant: str, space: str) -> None:
        await self._store.switch(tenant, _ITEM, Space.parse(space))


def _stamp(space: str, product: Product) -> bytes:
    return content_hash(product.text) + space.encode()
