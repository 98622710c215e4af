"""The last answer published for each customer, in Redis: forgotten with it, and then each answer is published anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from rapport.vectors.serving_copy import ServingCopy
from services.recommender.ports import Push

_KIND = "pushed"
_DECODER = msgspec.json.Decoder(Push)


class RedisPushes:
    """`Pushes` as documents."""

    def __init__(self, store: ServingCopy) -> None:
        self._store = store

    async def last(self, tenant: str, customers: Sequence[str]) -> dict[str, Push]:
        found = (await self._store.get(tenant, {_KIND: customers})).documents[_KIND]
        return {customer: _DECODER.decode(body) for customer, body in found.items()}

    async def remember(self, tenant: str, pushes: Mapping[str, Push]) -> None:
        if pushes:
            bodies = {customer: msgspec.json.encode(push) for customer, push in pushes.items()}
            await self._store.put(tenant, {_KIND: bodies})

    async def forget(self, tenant: str, customers: Sequence[str]) -> None:
        if customers:
            await self._store.delete(tenant, {_KIND: customers})
