"""Search in process for larger catalogues: the best few hundred by 64 numbers each, then exactly by all of them.

The 64 are the vectors' leading principal components, which keep most of every dot product of one encoder's embeddings
(an orthogonal projection never changes one by more than what it leaves out of both vectors). Reading them takes a sixth
of the memory traffic that bounds an exact search. Below `LARGE` vectors the search is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import numpy as np

from rapport.vectors.exact import RARE, ExactIndex
from rapport.vectors.packing import Array, Float32
from rapport.vectors.search import Allowed, Hits, Rows, best_hits, positive, unit_rows

# Vectors from which the second stage pays for itself: there an exact search of a few queries takes 3 ms.
LARGE = 20_000
# Numbers kept, and the vectors that the components are taken from.
_COMPONENTS, _SAMPLE = 64, 8192
# Vectors scored exactly, for each wanted, and at least.
_TIMES, _FEWEST = 10, 512
# Rows that are looked at for a bound (drawn, since catalogues have an order), and by how much more than wanted it
# lets through: with 512 of 100,000 wanted some 1,400, so that too few are as good as never.
_DRAWN, _MARGIN, _SPARE = 2048, 1.3, 16


class ProjectedIndex(ExactIndex):
    """A `SearchIndex`: exact while it is small, exact among the best by the components from then on."""

    def __init__(self, dimensions: int | None = None, exact_below: int = LARGE) -> None:
        """`exact_below`: vectors up to which the search is exact."""
        super().__init__(dimensions)
        self._exact_below = exact_below
        self._basis: Float32 | None = None
        """[d, components]; None while the search is exact."""
        self._short: Float32 = np.empty((0, 0), np.float32)
        """[rows, components], row for row beside the vectors."""
        self._learned_from = 0

    async def upsert(self, ids: Sequence[str], vectors: Array) -> None:
        await super().upsert(ids, vectors)
        count = len(self._ids)
        if count >= self._exact_below and count >= 2 * self._learned_from:
            # Learned anew whenever the catalogue has doubled: what it sells may have changed.
            self._learn()
        elif self._basis is not None:
            rows = [self._row_of[id_] for id_ in ids]
            self._reserve_short()
            self._short[rows] = self._matrix[rows] @ self._basis

    async def remove(self, ids: Sequence[str]) -> None:
        if self._basis is None:
            await super().remove(ids)
            return
        for id_ in ids:
            row = self._row_of.get(id_)
            if row is not None:
                # The last row takes the place of the one that goes, as in the vectors.
                self._short[row] = self._short[len(self._ids) - 1]
                await super().remove([id_])

    async def search_many(self, queries: Array, limit: int, allowed: Allowed | None = None) -> list[Hits]:
        few = isinstance(allowed, AbstractSet) and len(allowed) * RARE < len(self._ids)
        if self._basis is None or few:
            return await super().search_many(queries, limit, allowed)
        rows = unit_rows(queries, self._dimensions, "query")
        positive(limit)
        count = len(self._ids)
        sample = np.random.default_rng(count).integers(0, count, _DRAWN)
        rough = (rows @ self._basis) @ self._short[:count].T
        found: list[Hits] = []
        for query, line in zip(rows, rough, strict=True):
            hits = self._best_of(query, line, sample, limit, allowed)
            # A filter that few pass: the best by the components hold too few of them.
            found.append(hits if hits is not None else (await super().search_many(query[None], limit, allowed))[0])
        return found

    def _best_of(
        self, query: Float32, rough: Float32, sample: Rows, limit: int, allowed: Allowed | None
    ) -> Hits | None:
        take = min(len(rough), max(_FEWEST, _TIMES * limit))
        rows = _highest(rough, take, sample)
        (hits,) = best_hits((self._matrix[rows] @ query)[None], self._ids, limit, allowed, rows)
        return hits if len(hits) == limit or take == len(rough) else None

    def _learn(self) -> None:
        count = len(self._ids)
        # Drawn: every n-th row of a catalogue in some order may leave whole kinds of products out.
        drawn = np.random.default_rng(count).choice(count, min(count, _SAMPLE), replace=False)
        sample = self._matrix[np.sort(drawn)]
        values, vectors = np.linalg.eigh((sample.T @ sample).astype(np.float64))
        self._basis = np.ascontiguousarray(vectors[:, np.argsort(-values)[:_COMPONENTS]], np.float32)
        self._short = np.empty((len(self._matrix), self._basis.shape[1]), np.float32)
        self._short[:count] = self._matrix[:count] @ self._basis
        self._learned_from = count

    def _reserve_short(self) -> None:
        if len(self._short) < len(self._matrix):
            larger = np.empty((len(self._matrix), self._short.shape[1]), np.float32)
            larger[: len(self._short)] = self._short
            self._short = larger


def _highest(values: Float32, count: int, sample: Rows) -> Rows:
    """Where the highest `count` are. A bound that some of the values suggest leaves few to choose from, so that going
    through all once is most of the work; choosing from all takes six times as long."""
    rank = int(_MARGIN * count * len(sample) / len(values)) + _SPARE
    if rank < len(sample):
        rows = np.flatnonzero(values >= np.partition(values[sample], -rank)[-rank])
        if len(rows) >= count:
            return rows[np.argpartition(values[rows], -count)[-count:]]
    return np.argpartition(values, -count)[-count:]
