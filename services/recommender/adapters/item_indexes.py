"""The item vectors of each tenant, searchable, in the space of one encoder; a second space while an encoder changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from rapport.vectors.search import SearchIndex
from services.recommender.domain.relevance import Cohort
from services.recommender.domain.situation import Near
from services.recommender.ports import Allowed, Vectors

MakeIndex = Callable[[str, str], SearchIndex]
"""A search index for a tenant and a space."""


class _Shelf:
    """One space of one tenant."""

    def __init__(self, space: str, index: SearchIndex) -> None:
        self.space, self.index, self.cohort = space, index, Cohort()


class ItemIndexes:
    """`Items` over any search index."""

    def __init__(self, make_index: MakeIndex) -> None:
        self._make_index = make_index
        self._searched: dict[str, _Shelf] = {}
        self._filled: dict[str, _Shelf] = {}

    def space(self, tenant: str) -> str | None:
        shelf = self._searched.get(tenant)
        return shelf.space if shelf else None

    def filling(self, tenant: str) -> str | None:
        shelf = self._filled.get(tenant)
        return shelf.space if shelf else None

    def begin(self, tenant: str, space: str) -> None:
        shelf = _Shelf(space, self._make_index(tenant, space))
        self._filled[tenant] = shelf
        self._searched.setdefault(tenant, shelf)

    def take_over(self, tenant: str) -> None:
        self._searched[tenant] = self._filled[tenant]

    async def put(self, tenant: str, product_ids: Sequence[str], vectors: Vectors) -> None:
        shelf = self._filled[tenant]
        await shelf.index.upsert(product_ids, vectors)
        shelf.cohort.put(product_ids, vectors)

    async def remove(self, tenant: str, product_ids: Sequence[str]) -> None:
        for shelf in self._shelves(tenant):
            await shelf.index.remove(product_ids)
            for product_id in product_ids:
                shelf.cohort.remove(product_id)

    async def near(self, tenant: str, queries: Vectors, limit: int, allowed: Allowed) -> list[Near]:
        shelf = self._searched.get(tenant)
        if shelf is None:
            return [Near(level, (), np.empty(0)) for level in Cohort().levels(queries)]
        found = await shelf.index.search_many(queries, limit, allowed)
        levels = shelf.cohort.levels(np.asarray(queries, np.float32))
        return [Near(level, hits.ids, hits.scores) for level, hits in zip(levels, found, strict=True)]

    async def vectors(self, tenant: str, product_ids: Sequence[str]) -> Mapping[str, Vectors]:
        shelf = self._searched.get(tenant)
        return await shelf.index.get(product_ids) if shelf and product_ids else {}

    def _shelves(self, tenant: str) -> list[_Shelf]:
        searched, filled = self._searched.get(tenant), self._filled.get(tenant)
        return [shelf for shelf in (searched, filled if filled is not searched else None) if shelf]
