"""The serving copies in Redis: profile as JSON, need vectors and long-run mean as embeddings."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping

import msgspec

from rapport.vectors.keys import Space
from rapport.vectors.packing import Array
from rapport.vectors.serving_copy import ServingCopy
from services.profiler.adapters.codec import pack_backing, unpack_backing
from services.profiler.domain.background import Vector
from services.profiler.domain.profile import Picture
from services.profiler.domain.trail import Backing
from services.profiler.ports import Edition, Key

PROFILE, TRAIL, NEED, CUSTOMER = "profile", "trail", "need", "customer"
_NOTHING = Edition(0, "")


class _Head(msgspec.Struct):
    """What of a profile's JSON says which edition it is; the rest is not built."""

    revision: int
    encoder: str | None = None


_HEAD = msgspec.json.Decoder(_Head)


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

    async def behind(self, wanted: Mapping[Key, Edition]) -> list[Key]:
        stored = await self._stored(wanted)
        return [key for key, edition in wanted.items() if _is_behind(stored[key], edition)]

    async def restore(self, pictures: Mapping[Key, Picture]) -> int:
        wanted = {key: Edition(each.profile.revision, each.encoder) for key, each in pictures.items()}
        async with self._turn:
            behind = await self.behind(wanted)
            await self._write({key: pictures[key] for key in behind})
        return len(behind)

    async def find(self, key: Key) -> bytes | None:
        tenant, customer = key
        found = await self._store.get(tenant, {PROFILE: [customer]})
        return found.documents[PROFILE].get(customer)

    async def backing(self, key: Key) -> tuple[Backing, Vector | None]:
        tenant, customer = key
        found = await self._store.get(tenant, {TRAIL: [customer]}, {NEED: [customer]})
        body = found.documents[TRAIL].get(customer)
        needs = found.embeddings[NEED].vectors.get(customer)
        return Backing() if body is None else unpack_backing(body), needs

    async def intact(self) -> bool:
        """Looks at the copy written last: gone when Redis was emptied, old when Redis lost its last writes.

        Not intact either, once, when the encoder has changed: who was not seen since has no vectors in its space.
        """
        async with self._turn:
            moved, self._moved = self._moved, False
            if moved or self._newest is None:
                return not moved
            key, revision = self._newest
            return (await self._stored([key]))[key].revision >= revision

    async def _write(self, pictures: Mapping[Key, Picture]) -> None:
        groups: dict[tuple[str, str], dict[str, Picture]] = defaultdict(dict)
        for (tenant, customer), picture in pictures.items():
            groups[tenant, picture.encoder][customer] = picture
        for (tenant, encoder), group in groups.items():
            documents = {
                PROFILE: {customer: picture.body for customer, picture in group.items()},
                TRAIL: {customer: pack_backing(picture.backing) for customer, picture in group.items()},
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

    async def _stored(self, keys: Collection[Key]) -> dict[Key, Edition]:
        by_tenant: dict[str, list[str]] = defaultdict(list)
        for tenant, customer in keys:
            by_tenant[tenant].append(customer)
        stored = dict.fromkeys(keys, _NOTHING)
        for tenant, customers in by_tenant.items():
            found = await self._store.get(tenant, {PROFILE: customers})
            for customer, body in found.documents[PROFILE].items():
                profile = _HEAD.decode(body)
                stored[tenant, customer] = Edition(profile.revision, profile.encoder or "")
        return stored


def _is_behind(stored: Edition, wanted: Edition) -> bool:
    return stored.revision < wanted.revision or (
        stored.revision == wanted.revision and stored.encoder != wanted.encoder
    )


def _embeddings(group: Mapping[str, Picture]) -> dict[str, dict[str, Array]]:
    embeddings: dict[str, dict[str, Array]] = {NEED: {}, CUSTOMER: {}}
    for customer, picture in group.items():
        if picture.needs is not None:
            embeddings[NEED][customer] = picture.needs
        if picture.mean is not None:
            embeddings[CUSTOMER][customer] = picture.mean
    return {kind: vectors for kind, vectors in embeddings.items() if vectors}
