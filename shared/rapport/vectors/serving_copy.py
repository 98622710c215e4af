"""Serving copies of state: documents and the vectors that go with them, written by one service and read by others.

A request reads all it needs, whatever the kinds, in one round trip. The copy can be lost: Kafka has the truth.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from rapport.ops.errors import InvalidRequest
from rapport.vectors import keys
from rapport.vectors.key_values import KeyValues
from rapport.vectors.keys import Space
from rapport.vectors.packing import Array
from rapport.vectors.store import Embeddings, EmbeddingStore

ByKind = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one round trip found."""

    documents: dict[str, dict[str, bytes]]
    """By kind, then by id; ids without a document are left out."""
    embeddings: dict[str, Embeddings]
    """By kind, each of its live space."""


class ServingCopy:
    """Documents (bytes, the writer's own encoding) and embeddings by tenant, kind and id."""

    def __init__(self, key_values: KeyValues, embeddings: EmbeddingStore | None = None) -> None:
        self._kv = key_values
        self.embeddings = embeddings or EmbeddingStore(key_values)

    async def put(
        self,
        tenant: str,
        documents: Mapping[str, Mapping[str, bytes]],
        embeddings: Mapping[str, Mapping[str, Array]] | None = None,
        space: Space | None = None,
    ) -> None:
        """Writes documents, and embeddings of `space`, by kind and id, in one round trip.

        Not a transaction: for some microseconds a reader may see the new document with the old vector.
        """
        if embeddings and space is None:
            raise InvalidRequest("embeddings need the space they belong to", field="space")
        values = {
            keys.document(tenant, kind, id_): body for kind, by_id in documents.items() for id_, body in by_id.items()
        }
        once: dict[str, bytes] = {}
        members: dict[str, bytes] = {}
        for kind, vectors in (embeddings or {}).items():
            if space is not None and vectors:
                more = self.embeddings.writes(tenant, kind, space, vectors)
                values, once, members = values | more[0], once | more[1], members | more[2]
        await self._kv.write(values, if_absent=once, members=members)

    async def get(self, tenant: str, documents: ByKind, embeddings: ByKind | None = None) -> Snapshot:
        """Documents and embeddings by kind and id, in one round trip."""
        pairs = [(kind, id_) for kind, ids in documents.items() for id_ in ids]
        vectors, bodies = await self.embeddings.read(
            tenant, embeddings or {}, also=[keys.document(tenant, kind, id_) for kind, id_ in pairs]
        )
        found: dict[str, dict[str, bytes]] = {kind: {} for kind in documents}
        for (kind, id_), body in zip(pairs, bodies, strict=True):
            if body is not None:
                found[kind][id_] = body
        return Snapshot(found, vectors)

    async def delete(self, tenant: str, documents: ByKind, embeddings: ByKind | None = None) -> None:
        """Removes documents, and embeddings from every space."""
        await self._kv.delete([keys.document(tenant, kind, id_) for kind, ids in documents.items() for id_ in ids])
        for kind, ids in (embeddings or {}).items():
            await self.embeddings.delete(tenant, kind, ids)

    async def scan(self, tenant: str, kind: str) -> AsyncIterator[dict[str, bytes]]:
        """All documents of a kind, in pages. For filling a cache at start."""
        prefix = keys.document_prefix(tenant, kind)
        async for page in self._kv.scan(prefix):
            values = await self._kv.read(page)
            yield {key.removeprefix(prefix): body for key, body in zip(page, values, strict=True) if body is not None}
