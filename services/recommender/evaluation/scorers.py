"""Fitted models in the shape that full ranking asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from services.recommender.evaluation.histories import Floats, Histories, Ids
from services.recommender.evaluation.splits import Case
from services.recommender.learned.factors import Factors
from services.recommender.learned.item_item import ItemItem


@dataclass(frozen=True, slots=True)
class Popularity:
    """The same list for everybody: how often each item was dealt with in training."""

    counts: Floats
    name: str = "popularity"

    @classmethod
    def of(cls, train: Histories) -> Popularity:
        return cls(train.popularity().astype(np.float32))

    def scores(self, cases: Sequence[Case]) -> Floats:
        return np.tile(self.counts, (len(cases), 1))


@dataclass(frozen=True, slots=True)
class ByNeighbours:
    """EASE, ItemKNN or transitions."""

    name: str
    model: ItemItem

    def scores(self, cases: Sequence[Case]) -> Floats:
        items = len(self.model.items)
        weights = csr_matrix((self.model.weights, self.model.neighbours, self.model.starts), shape=(items, items))
        return np.asarray((faded(cases, items, self.model.fading) @ weights).todense(), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class ByFactors:
    """Matrix factorisation, each history folded in."""

    name: str
    model: Factors

    def scores(self, cases: Sequence[Case]) -> Floats:
        return np.stack([self.model.scores(case.history.tolist()) for case in cases])


@dataclass(frozen=True, slots=True)
class ByFunction:
    """Any model that scores histories: the sequence model, which torch runs."""

    name: str
    score: Callable[[Sequence[Ids]], Floats]

    def scores(self, cases: Sequence[Case]) -> Floats:
        return self.score([case.history for case in cases])


def faded(cases: Sequence[Case], items: int, fading: float) -> csr_matrix:
    """[cases, items]: fading^age of each item of the history; age 0 is the newest, a repeated item counts once."""
    rows, columns, values = [], [], []
    for row, case in enumerate(cases):
        newest_first = list(dict.fromkeys(case.history[::-1].tolist()))
        rows += [row] * len(newest_first)
        columns += newest_first
        values += [fading**age for age in range(len(newest_first))]
    return csr_matrix((values, (rows, columns)), shape=(len(cases), items), dtype=np.float32)
