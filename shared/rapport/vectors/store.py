"""Embeddings by id, each in the space of its encoder and revision; readers use the space that the alias names.

A changed encoder is filled in beside the old one, then `switch` moves every reader at once (one key is set), then
`drop` clears the old one. The vectors of one answer are always of one space, and the answer names it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rapport.ops.errors import StateConflict, UnavailableError
from rapport.vectors import keys
from rapport.vectors.key_values import KeyValues
from rapport.vectors.keys import Space
from rapport.vectors.packing import Array, Float32, pack, unpack

# The alias changes a few times a year; still changing after this many looks, something is wrong.
_LOOKS = 4


@dataclass(frozen=True, slots=True)
class Embeddings:
    """What was found. `space` is None when nothing was ever stored of that kind."""

    space: Space | None
    vectors: dict[str, Float32]
    """By id; ids without a vector are left out. Shape as stored: [d], or [n, d] for several vectors of one thing."""


class EmbeddingStore:
    """Embeddings of `kind` (item, customer, article, …) in Redis."""

    def __init__(self, key_values: KeyValues) -> None:
        self._kv = key_values
        # The space last seen as live. Each read asks for the alias along with the vectors, so a stale one is noticed
        # and costs a second round trip, once.
        self._live: dict[tuple[str, str], Space] = {}

    async def put_many(self, tenant: str, kind: str, space: Space, vectors: Mapping[str, Array]) -> None:
        """Stores vectors, [d] or [n, d] each, in one round trip. The first space of a kind becomes the live one."""
        if vectors:
            values, once, members = self.writes(tenant, kind, space, vectors)
            await self._kv.write(values, if_absent=once, members=members)

    @staticmethod
    def writes(
        tenant: str, kind: str, space: Space, vectors: Mapping[str, Array]
    ) -> tuple[dict[str, bytes], dict[str, bytes], dict[str, bytes]]:
        """What `KeyValues.write` takes to store `vectors`: values, values if absent, set members."""
        name = str(space).encode()
        values = {keys.embedding(tenant, kind, space, id_): pack(vector) for id_, vector in vectors.items()}
        return values, {keys.alias(tenant, kind): name}, {keys.spaces(tenant, kind): name}

    async def get_many(self, tenant: str, kind: str, ids: Sequence[str]) -> Embeddings:
        """Vectors of the live space, in one round trip."""
        found, _ = await self.read(tenant, {kind: ids})
        return found[kind]

    async def read(
        self, tenant: str, wanted: Mapping[str, Sequence[str]], also: Sequence[str] = ()
    ) -> tuple[dict[str, Embeddings], list[bytes | None]]:
        """Vectors of several kinds, each of its live space, and the values of the keys `also`, in one round trip.

        Only the first read of a kind and the first after a switch take a second one.
        """
        aliases = [keys.alias(tenant, kind) for kind in wanted]
        for _ in range(_LOOKS):
            assumed = {kind: self._live.get((tenant, kind)) for kind in wanted}
            lists = {
                kind: [keys.embedding(tenant, kind, space, id_) for id_ in wanted[kind]] if space else []
                for kind, space in assumed.items()
            }
            answer = iter(await self._kv.read([*aliases, *(key for part in lists.values() for key in part), *also]))
            live = {kind: Space.parse(name) if (name := next(answer)) else None for kind in wanted}
            raw = {kind: [next(answer) for _ in part] for kind, part in lists.items()}
            self._remember(tenant, live)
            if live == assumed:
                found = {kind: _unpacked(live[kind], wanted[kind], raw[kind]) for kind in wanted}
                return found, list(answer)
        raise UnavailableError(f"the live space of {', '.join(wanted)} keeps changing")

    async def live(self, tenant: str, kind: str) -> Space | None:
        """The space that readers use, or None when nothing was stored yet."""
        name = (await self._kv.read([keys.alias(tenant, kind)]))[0]
        return Space.parse(name) if name else None

    async def switch(self, tenant: str, kind: str, space: Space) -> None:
        """Every read that begins from now on uses `space`. Raises `StateConflict` when it holds nothing."""
        if space not in await self.spaces(tenant, kind):
            raise StateConflict(f"{space} holds no {kind}", field="space", fix="fill it first")
        await self._kv.write({keys.alias(tenant, kind): str(space).encode()})

    async def spaces(self, tenant: str, kind: str) -> set[Space]:
        """The spaces that hold something of this kind."""
        return {Space.parse(name) for name in await self._kv.members(keys.spaces(tenant, kind))}

    async def drop(self, tenant: str, kind: str, space: Space) -> int:
        """Clears a space and says how many vectors it held. Raises `StateConflict` for the live one."""
        if space == await self.live(tenant, kind):
            raise StateConflict(f"{space} is live", field="space", fix="switch first")
        dropped = 0
        async for page in self._kv.scan(keys.embedding_prefix(tenant, kind, space)):
            dropped += await self._kv.delete(page)
        await self._kv.discard(keys.spaces(tenant, kind), str(space).encode())
        return dropped

    async def delete(self, tenant: str, kind: str, ids: Sequence[str]) -> None:
        """Removes the vectors of `ids` from every space."""
        spaces = await self.spaces(tenant, kind)
        await self._kv.delete([keys.embedding(tenant, kind, space, id_) for space in spaces for id_ in ids])

    async def scan(self, tenant: str, kind: str, space: Space) -> AsyncIterator[tuple[list[str], Float32]]:
        """All vectors of a space in pages: ids, and [ids, d]. For building an index at start. All must be [d]."""
        prefix = keys.embedding_prefix(tenant, kind, space)
        async for page in self._kv.scan(prefix):
            values = await self._kv.read(page)
            present = [
                (key.removeprefix(prefix), unpack(value)) for key, value in zip(page, values, strict=True) if value
            ]
            if present:
                yield [id_ for id_, _ in present], np.stack([vector for _, vector in present])

    def _remember(self, tenant: str, live: Mapping[str, Space | None]) -> None:
        for kind, space in live.items():
            if space is None:
                self._live.pop((tenant, kind), None)
            else:
                self._live[tenant, kind] = space


def _unpacked(space: Space | None, ids: Sequence[str], values: Sequence[bytes | None]) -> Embeddings:
    if space is None:
        return Embeddings(None, {})
    return Embeddings(space, {id_: unpack(value) for id_, value in zip(ids, values, strict=True) if value is not None})
