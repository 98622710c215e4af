"""Where the wanted items stand among ALL items of the catalogue: no sampled negatives (Krichene and Rendle 2020)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from services.recommender.evaluation.histories import Floats, Ids
from services.recommender.evaluation.splits import Case

# Cases scored at once: float32 [256, 100,000 items] is 100 MB.
_AT_ONCE = 256
# Items of a list that coverage, novelty and popularity bias look at, and the longest cut of any figure.
LISTED = 20


class Scorer(Protocol):
    """A fitted model, asked for every item of the catalogue."""

    @property
    def name(self) -> str: ...

    def scores(self, cases: Sequence[Case]) -> Floats:
        """[cases, items]; higher is better. Reads `history` (and `user`, `at_ms`), never `wanted`."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """What one model made of the cases."""

    ranks: tuple[Ids, ...]
    """For each case, the places (0: first) of its wanted items."""
    lists: Ids
    """[cases, LISTED]: the best items, best first."""


def rank_all(scorer: Scorer, cases: Sequence[Case], *, repeats: bool = False) -> Ranked:
    """Items of the history are out of the ranking, unless `repeats`. Of equal scores the wanted item comes last, so a
    model gains nothing by not telling items apart."""
    ranks: list[Ids] = []
    lists: list[Ids] = []
    for begin in range(0, len(cases), _AT_ONCE):
        some = cases[begin : begin + _AT_ONCE]
        scores = np.array(scorer.scores(some), dtype=np.float32)
        for row, case in zip(scores, some, strict=True):
            if not repeats:
                row[case.history] = -np.inf
            ranks.append(places(row, case.wanted))
        lists.append(best(scores, LISTED))
    return Ranked(tuple(ranks), np.concatenate(lists))


def places(scores: Floats, wanted: Ids) -> Ids:
    """The place of each wanted item in one ranking [items]. Other wanted items count as competitors: of two, one is
    second at best."""
    order = np.sort(scores)
    above_or_equal = len(order) - np.searchsorted(order, scores[wanted], side="left")
    return np.asarray(above_or_equal - 1, dtype=np.int32)


def best(scores: npt.NDArray[np.float32], count: int) -> Ids:
    """[cases, count]: the numbers of the highest scores in each row, highest first."""
    count = min(count, scores.shape[1])
    top = np.argpartition(-scores, count - 1, axis=1)[:, :count]
    order = np.argsort(-np.take_along_axis(scores, top, axis=1), axis=1, kind="stable")
    return np.asarray(np.take_along_axis(top, order, axis=1), dtype=np.int32)
