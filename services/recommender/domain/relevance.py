"""From cosines to a score that means the same for every query and every encoder.

Cosines of one encoder lie close together (multilingual-e5: 0.75 to 0.9 between any two products) and differ in level
from query to query. So each query is also compared with a cohort, a fixed random sample of the catalogue, and what
counts is by how many of the cohort's standard deviations a product lies above its mean. (Z-norm, as in speaker
verification: Auckenthaler, Carey, Lloyd-Thomas 2000.)
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
Deviations = npt.NDArray[np.float64]

# Standard deviations above an ordinary product from which we may say "this is like that", and the share of what the
# nearest product has. With multilingual-e5-small on 300 products of 10 categories: for a search such as "trail running
# shoes" the nearest lie at 3.5 to 4.5, the same kind above 0.7 of that, other goods of the category around half. With
# few kinds each of them is so common that its own products lie at 1.4.
_NOTABLE, _NOTABLE_SHARE = 1.0, 0.6
# At this many standard deviations a product is at 63 % of the full score.
_SCALE = 2.0
# Enough to know a mean and a deviation within 5 %, and 256 products of 384 numbers a query.
_COHORT = 256
# Below this many products a deviation means nothing; every product then counts by its cosine alone.
_FEWEST = 8


@dataclass(frozen=True, slots=True)
class Level:
    """How near a query is to the catalogue at large: mean and standard deviation of its cosines to the cohort."""

    mean: float
    deviation: float

    def above(self, cosine: float) -> float:
        """Standard deviations above the mean."""
        return (cosine - self.mean) / self.deviation

    def notable(self, nearest: float) -> float:
        """From how many deviations on we speak of a likeness, where the nearest product has the cosine `nearest`."""
        return max(_NOTABLE, _NOTABLE_SHARE * self.above(nearest))


# Where there is no cohort yet: only what is very near stands out, by the usual range of cosines.
UNKNOWN_LEVEL = Level(0.0, 0.5)


def score(above: Deviations) -> Deviations:
    """0 to 1: 0 for what is not nearer than an ordinary product, then rising ever slower."""
    return -np.expm1(-np.maximum(above, 0.0) / _SCALE)


class Cohort:
    """The sample: the products whose hashed ids are lowest, so that every replica has the same one whatever the order
    in which products came, and one that goes is replaced."""

    def __init__(self) -> None:
        self._vectors: dict[str, Vectors] = {}
        self._ranks: dict[str, int] = {}
        self._matrix: Vectors | None = None

    def put(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Offers unit vectors, [ids, d]; those that belong to the sample are kept."""
        for id_, vector in zip(ids, vectors, strict=True):
            self._ranks[id_] = _rank(id_)
            self._vectors[id_] = vector.astype(np.float32)
        # Twice the sample is kept, so that a delisting does not shrink it.
        spare = len(self._ranks) - 2 * _COHORT
        if spare > 0:
            for id_ in heapq.nlargest(spare, self._ranks, key=self._ranks.__getitem__):
                self.remove(id_)
        self._matrix = None

    def remove(self, id_: str) -> None:
        if self._ranks.pop(id_, None) is not None:
            del self._vectors[id_]
            self._matrix = None

    def levels(self, queries: Vectors) -> list[Level]:
        """The level of each unit vector in [queries, d]."""
        matrix = self._sample()
        if len(matrix) < _FEWEST:
            return [UNKNOWN_LEVEL] * len(queries)
        cosines = queries @ matrix.T
        # A catalogue of equal texts has no deviation; a thousandth keeps the quotient finite.
        deviations = np.maximum(cosines.std(axis=1), 1e-3)
        return [Level(float(mean), float(dev)) for mean, dev in zip(cosines.mean(axis=1), deviations, strict=True)]

    def _sample(self) -> Vectors:
        if self._matrix is None:
            chosen = heapq.nsmallest(_COHORT, self._ranks, key=self._ranks.__getitem__)
            self._matrix = np.stack([self._vectors[id_] for id_ in chosen]) if chosen else np.empty((0, 0), np.float32)
        return self._matrix


def _rank(id_: str) -> int:
    return int.from_bytes(hashlib.blake2b(id_.encode(), digest_size=8).digest())
