"""Vectors of passages in Redis, by content hash, in the space of their encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rapport.vectors.keys import Space
from rapport.vectors.store import EmbeddingStore
from services.chatbot.domain.shelf import Float32

_KIND = "article"


class RedisVectorCache:
    """`VectorCache` on the embedding store. Another encoder's vectors are not found, and are replaced as it writes."""

    def __init__(self, store: EmbeddingStore) -> None:
        self._store = store

    async def read(self, tenant: str, model: str, keys: Sequence[str]) -> dict[str, Float32]:
        found = await self._store.get_many(tenant, _KIND, keys)
        return found.vectors if found.space == Space.parse(model) else {}

    async def write(self, tenant: str, model: str, vectors: Mapping[str, Float32]) -> None:
        space = Space.parse(model)
        await self._store.put_many(tenant, _KIND, space, vectors)
        if await self._store.live(tenant, _KIND) != space:
            await self._store.switch(tenant, _KIND, space)
