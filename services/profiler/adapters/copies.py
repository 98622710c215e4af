"""The serving copies in Redis: profile as JSON, need vectors and long-run mean as embeddings."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping

import orjson

from rapport.vectors.keys import Space
from rapport.vectors.packing import Array
from rapport.vectors.serving_copy import ServingCopy
from services.profiler.adapters.codec import pack_trail, unpack_trail
from services.profiler.domain.profile import Picture
from services.profiler.domain.trail import Step
from services.profiler.ports import Key

PROFILE, TRAIL, NEED, CUSTOMER = "profile", "trail", "need", "customer"
_Stored = tuple[int, str]
"""Revision and encoder of a copy; 0 and "" where there is none."""


class RedisCopies:
    """`ServingCopies` on the shared store."""

    def __init__(self, store: ServingCopy) -> None:
        self._store = store
        # Between the look at a copy's revision and its replacement nobody else may write a newer one.
        self._turn = asyncio.Lock()
        self._newest: tuple[Key, int] | None = None
        self._spaces: dict[str, Space] = {}
        self._moved = False

    async def put(self, pictures: Mapping[Key, Picture]) -> None:
        async with self._turn:
            await self._write(pictures)

    async def restore(self, pictures: Mapping[Key, Picture]) -> int:
        async with self._turn:
            stored = await self._stored(pictures)
            behind = {key: picture for key, picture in pictures.items() if _is_behind(stored[key], picture)}
            await self._write(behind)
        return len(behind)

    async def find(self, key: Key) -> bytes | None:
        tenant, customer = key
        found = await self._store.get(tenant, {PROFILE: [customer]})
        return found.documents[PROFILE].get(customer)

    async def trail(self, key: Key) -> list[Step]:
        tenant, customer = key
        found = await self._store.get(tenant, {TRAIL: [customer]})
        body = found.documents[TRAIL].get(customer)
        return [] if body is None else unpack_trail(body)

    async def intact(self) -> bool:
        """Looks at the copy written last: gone when Redis was emptied, old when Redis lost its last writes.

        Not intact either, once, when the encoder has changed: who was not seen since has no vectors in its space.
        """
        async with self._turn:
            moved, self._moved = self._moved, False
            if moved or self._newest is None:
                return not moved
            key, revision = self._newest
            return (await self._stored([key]))[key][0] >= revision

    async def _write(self, pictures: Mapping[Key, Picture]) -> None:
        groups: dict[tuple[str, str], dict[str, Picture]] = defaultdict(dict)
        for (tenant, customer), picture in pictures.items():
            groups[tenant, picture.encoder][customer] = picture
        for (tenant, encoder), group in groups.items():
            documents = {
                PROFILE: {customer: picture.body for customer, picture in group.items()},
                TRAIL: {customer: pack_trail(picture.trail) for customer, picture in group.items()},
            }
            space = Space.parse(encoder) if encoder else None
            await self._store.put(tenant, documents, _embeddings(group), space)
            if space is not None and self._spaces.get(tenant) != space:
                await self._make_live(tenant, space)
        await self._clear({key for key, picture in pictures.items() if picture.profile.merged_into})
        for key, picture in pictures.items():
            self._newest = (key, picture.profile.revision)

    async def _clear(self, gone: Collection[Key]) -> None:
        """Whose vectors have gone to another customer has none."""
        for tenant, customer in gone:
            await self._store.delete(tenant, {}, {NEED: [customer], CUSTOMER: [customer]})

    async def _make_live(self, tenant: str, space: Space) -> None:
        """Readers follow to the vectors that are kept up to date from now on."""
        for kind in (NEED, CUSTOMER):
            if await self._store.embeddings.live(tenant, kind) not in (None, space):
                await self._store.embeddings.switch(tenant, kind, space)
                self._moved = True
        self._spaces[tenant] = space

    async def _stored(self, keys: Collection[Key]) -> dict[Key, _Stored]:
        by_tenant: dict[str, list[str]] = defaultdict(list)
        for tenant, customer in keys:
            by_tenant[tenant].append(customer)
        stored: dict[Key, _Stored] = dict.fromkeys(keys, (0, ""))
        for tenant, customers in by_tenant.items():
            found = await self._store.get(tenant, {PROFILE: customers})
            for customer, body in found.documents[PROFILE].items():
                profile = orjson.loads(body)
                stored[tenant, customer] = (profile["revision"], profile.get("encoder", ""))
        return stored


def _is_behind(stored: _Stored, picture: Picture) -> bool:
    revision, encoder = stored
    return revision < picture.profile.revision or (revision == picture.profile.revision and encoder != picture.encoder)


def _embeddings(group: Mapping[str, Picture]) -> dict[str, dict[str, Array]]:
    embeddings: dict[str, dict[str, Array]] = {NEED: {}, CUSTOMER: {}}
    for customer, picture in group.items():
        if picture.needs is not None:
            embeddings[NEED][customer] = picture.needs
        if picture.mean is not None:
            embeddings[CUSTOMER][customer] = picture.mean
    return {kind: vectors for kind, vectors in embeddings.items() if vectors}
