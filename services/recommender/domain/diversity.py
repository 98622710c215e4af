"""Maximal marginal relevance: a list that is not ten times the same (Carbonell and Goldstein 1998)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from services.recommender.domain.pool import Candidate

Vectors = npt.NDArray[np.float32]
# Likeness from which two products are one to the eye: the same text, embedded in two batches.
_SAME = 0.995


def diverse(
    candidates: Sequence[Candidate],
    vectors: Mapping[str, Vectors],
    limit: int,
    *,
    share: float,
    shelf_of: Callable[[str], str],
    most: int,
) -> list[Candidate]:
    """At most `limit`, each the best by (1 - share)·relevance - share·likeness to what is chosen already.

    `vectors`: unit vectors [d] of the products; without one a product is like nothing. While there is something else,
    no shelf has more than `most`, and of several copies of a product there is one; what is held back fills the rest, in
    its order.
    """
    relevance = np.array([candidate.score for candidate in candidates])
    worth = (1.0 - share) * relevance / max(float(relevance.max(initial=0.0)), 1e-9)
    likeness = _likeness(candidates, vectors) if share else np.zeros((len(candidates), len(candidates)))
    nearest = np.zeros(len(candidates))
    shelves: Counter[str] = Counter()
    chosen: list[int] = []
    for _ in candidates:
        if len(chosen) == limit:
            break
        at = int((worth - share * nearest).argmax())
        worth[at] = -np.inf
        shelf = shelf_of(candidates[at].product_id)
        if nearest[at] >= _SAME or (shelf and shelves[shelf] >= most):
            continue
        shelves[shelf] += 1
        chosen.append(at)
        np.maximum(nearest, likeness[at], out=nearest)
    taken = set(chosen)
    held_back = [at for at in range(len(candidates)) if at not in taken]
    return [candidates[at] for at in (*chosen, *held_back)][:limit]


def _likeness(candidates: Sequence[Candidate], vectors: Mapping[str, Vectors]) -> npt.NDArray[np.float64]:
    """[n, n], 0 for a pair that is alike as half of all pairs are, 1 for the same. Cosines of one encoder lie close
    together, so only what exceeds the usual counts."""
    known = [at for at, candidate in enumerate(candidates) if candidate.product_id in vectors]
    likeness = np.zeros((len(candidates), len(candidates)))
    if len(known) > 1:
        matrix = np.stack([vectors[candidates[at].product_id] for at in known])
        cosines = matrix @ matrix.T
        pairs = cosines[_pairs(len(known))]
        usual = float(np.partition(pairs, len(pairs) // 2)[len(pairs) // 2])
        likeness[np.ix_(known, known)] = np.clip((cosines - usual) / max(1.0 - usual, 1e-6), 0.0, 1.0)
    return likeness


@lru_cache(maxsize=64)
def _pairs(count: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Where each pair stands in a square matrix, once."""
    return np.triu_indices(count, 1)
