"""The port for vector search, with two adapters: `exact` in process, and `vector_set` in Redis 8."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from rapport.ops.errors import InvalidRequest
from rapport.vectors.packing import Array, Float32

Allowed = AbstractSet[str] | Callable[[str], bool]
"""Which ids may be found: a set, or a quick test."""


Rows = npt.NDArray[np.intp]
# Rows looked at beyond those wanted: an eighth, and eight. Some products are out of stock as a rule; without a margin
# one of them would have four times as many looked at.
_SPARE = 8


class Hit(NamedTuple):
    id: str
    score: float
    """Cosine, -1 to 1."""


class SearchIndex(Protocol):
    """The nearest vectors by cosine. Holds vectors of one space, all of the same length d.

    Every method raises `InvalidRequest` for a wrong shape or a number that is not finite. A zero vector is at cosine 0
    to everything.
    """

    async def upsert(self, ids: Sequence[str], vectors: Array) -> None:
        """Adds or replaces; `vectors` is [ids, d], of any length each."""

    async def remove(self, ids: Sequence[str]) -> None:
        """Takes ids out; unknown ones are left unmentioned."""

    async def search(self, query: Array, limit: int, allowed: Allowed | None = None) -> list[Hit]:
        """At most `limit` hits for a query [d], best first; equal scores by id."""

    async def search_many(self, queries: Array, limit: int, allowed: Allowed | None = None) -> list[list[Hit]]:
        """The same for each row of [queries, d], at less cost than one by one."""

    async def get(self, ids: Sequence[str]) -> dict[str, Float32]:
        """The unit vectors [d] of those ids that are held."""

    async def size(self) -> int:
        """Vectors held."""


def permits(allowed: Allowed | None, id_: str) -> bool:
    """Whether an id may be found."""
    if allowed is None:
        return True
    return id_ in allowed if isinstance(allowed, AbstractSet) else allowed(id_)


def unit_rows(vectors: Array, dimensions: int | None, field: str) -> Float32:
    """[n, d] as float32 rows of length 1 (zero rows stay zero). Raises `InvalidRequest` unless all is well-formed."""
    rows: Float32 = np.array(vectors, dtype=np.float32)
    if rows.ndim != 2 or (dimensions is not None and rows.shape[1] != dimensions):
        raise InvalidRequest(f"shape {list(rows.shape)}, want [n, {dimensions or 'd'}]", field=field)
    if not np.isfinite(rows).all():
        raise InvalidRequest("numbers must be finite", field=field)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    np.divide(rows, norms, out=rows, where=norms > 0)
    return rows


def ranked(hits: list[Hit], limit: int) -> list[Hit]:
    """Best first, equal scores by id, at most `limit`."""
    return sorted(hits, key=lambda hit: (-hit.score, hit.id))[:limit]


def positive(limit: int) -> int:
    if limit < 1:
        raise InvalidRequest(f"{limit}, want at least 1", field="limit")
    return limit


def best_hits(scores: Float32, rows: Rows | None, ids: Sequence[str], limit: int, allowed: Allowed | None) -> list[Hit]:
    """The best `limit` that are allowed. `scores`: of `rows`, or of all rows for None; `ids`: of all rows.

    The test runs from the best row down until enough pass; it is Python, and most of what a search costs in a catalogue
    of some thousands.
    """
    test = allowed.__contains__ if isinstance(allowed, AbstractSet) else allowed
    take = limit + limit // _SPARE + _SPARE
    while True:
        take = min(take, len(scores))
        best = np.argpartition(scores, -take)[-take:] if take < len(scores) else np.arange(len(scores))
        best = best[np.argsort(-scores[best], kind="stable")]
        values, places = scores[best], (best if rows is None else rows[best]).tolist()
        hits: list[Hit] = []
        for place, score in zip(places, values.tolist(), strict=True):
            if test is None or test(ids[place]):
                hits.append(Hit(ids[place], score))
                if len(hits) == limit:
                    break
        if len(hits) == limit or take == len(scores):
            # Scores that are equal to the last bit are rare, and sorting by id takes longer than all the rest.
            return ranked(hits, limit) if (values[1:] == values[:-1]).any() else hits
        take *= 4
