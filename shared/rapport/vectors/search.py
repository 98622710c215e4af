"""The port for vector search, with two adapters: `exact` in process, and `vector_set` in Redis 8."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import NamedTuple, Protocol, overload

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


class Hits(Sequence[Hit]):
    """The hits of one query as columns, best first: a search finds some hundreds, of which few are looked at alone."""

    __slots__ = ("ids", "scores")

    def __init__(self, ids: Sequence[str], scores: Float32) -> None:
        self.ids, self.scores = ids, scores

    @classmethod
    def of(cls, hits: Sequence[Hit]) -> Hits:
        return cls([hit.id for hit in hits], np.array([hit.score for hit in hits], np.float32))

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Hit]:
        return map(Hit, self.ids, self.scores.tolist())

    @overload
    def __getitem__(self, at: int) -> Hit: ...
    @overload
    def __getitem__(self, at: slice) -> Hits: ...
    def __getitem__(self, at: int | slice) -> Hit | Hits:
        if isinstance(at, slice):
            return Hits(self.ids[at], self.scores[at])
        return Hit(self.ids[at], float(self.scores[at]))


class SearchIndex(Protocol):
    """The nearest vectors by cosine. Holds vectors of one space, all of the same length d.

    Every method raises `InvalidRequest` for a wrong shape or a number that is not finite. A zero vector is at cosine 0
    to everything.
    """

    async def upsert(self, ids: Sequence[str], vectors: Array) -> None:
        """Adds or replaces; `vectors` is [ids, d], of any length each."""

    async def remove(self, ids: Sequence[str]) -> None:
        """Takes ids out; unknown ones are left unmentioned."""

    async def search(self, query: Array, limit: int, allowed: Allowed | None = None) -> Hits:
        """At most `limit` hits for a query [d], best first; equal scores by id."""

    async def search_many(self, queries: Array, limit: int, allowed: Allowed | None = None) -> list[Hits]:
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


def ranked(hits: Iterable[Hit], limit: int) -> list[Hit]:
    """Best first, equal scores by id, at most `limit`."""
    return sorted(hits, key=lambda hit: (-hit.score, hit.id))[:limit]


def positive(limit: int) -> int:
    if limit < 1:
        raise InvalidRequest(f"{limit}, want at least 1", field="limit")
    return limit


def best_hits(
    scores: Float32, ids: Sequence[str], limit: int, allowed: Allowed | None, rows: Rows | None = None
) -> list[Hits]:
    """For each line of `scores`, [queries, n], the best `limit` that are allowed. The columns stand for `rows`, or for
    all rows where that is None; `ids`: of all rows.

    The lines are sorted together as far down as is nearly always enough; where too few are allowed there, on from it.
    """
    count = scores.shape[1]
    take = min(limit + limit // _SPARE + _SPARE, count)
    found = []
    for line, at in zip(scores, _highest_first(scores, take), strict=True):
        hits, tried = _allowed_of(at, line[at], ids, limit, allowed, rows), take
        while len(hits) < limit and tried < count:
            tried = min(4 * tried, count)
            (further,) = _highest_first(line[None], tried)
            hits = _allowed_of(further, line[further], ids, limit, allowed, rows)
        found.append(hits)
    return found


def _highest_first(scores: Float32, count: int) -> Rows:
    """[queries, count]: where the highest of each line are."""
    width = scores.shape[1]
    if count == width:
        return np.argsort(-scores, axis=1, kind="stable")
    best = np.argpartition(scores, width - count, axis=1)[:, width - count :]
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
    return np.take_along_axis(best, order, axis=1)


def _allowed_of(
    places: Rows, cosines: Float32, ids: Sequence[str], limit: int, allowed: Allowed | None, rows: Rows | None
) -> Hits:
    """The first `limit` that are allowed, of places in order."""
    names = [ids[row] for row in (places if rows is None else rows[places]).tolist()]
    if allowed is not None:
        test = allowed.__contains__ if isinstance(allowed, AbstractSet) else allowed
        kept = list(islice((at for at, name in enumerate(names) if test(name)), limit))
        if len(kept) < len(names):
            names, cosines = [names[at] for at in kept], cosines[kept]
    hits = Hits(names[:limit], cosines[:limit])
    # Scores that are equal to the last bit are rare, and sorting by id takes longer than all the rest.
    return Hits.of(ranked(hits, limit)) if (hits.scores[1:] == hits.scores[:-1]).any() else hits
