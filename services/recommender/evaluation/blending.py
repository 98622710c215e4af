"""Candidates of several models with what each says of them: what a blend is fitted on and judged by.

A candidate is whatever stands among the first `depth` of any model. An item that none of them brings counts as ranked
behind all candidates: with cuts at 20 and depths of 50 and more that is a miss, as in the full ranking it stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.recommender.evaluation.full_ranking import LISTED, Ranked, Scorer, best
from services.recommender.evaluation.histories import Floats, Ids
from services.recommender.evaluation.splits import Case

_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Candidates:
    """Of many cases, end to end."""

    items: Ids
    """[rows]"""
    features: Floats
    """[rows, names]"""
    labels: Ids
    """[rows]: 1 where the item is wanted."""
    sizes: Ids
    """[cases]"""
    names: tuple[str, ...]


def candidates(
    models: Sequence[Scorer], cases: Sequence[Case], popularity: npt.NDArray[np.int64], depth: int, *, repeats: bool
) -> Candidates:
    """For each model two features, its score standardised over the catalogue for that case and 1 / (1 + place); besides
    the item's popularity and the length of the history."""
    parts: list[tuple[Ids, Floats, Ids]] = []
    known = np.log1p(popularity).astype(np.float32)
    for begin in range(0, len(cases), _AT_ONCE):
        some = cases[begin : begin + _AT_ONCE]
        scored = [_masked(model.scores(some), some, repeats=repeats) for model in models]
        tops = np.concatenate([best(scores, depth) for scores in scored], axis=1)
        parts += [
            _of_case(case, np.unique(tops[row]), [scores[row] for scores in scored], known)
            for row, case in enumerate(some)
        ]
    names = [f"{kind} {model.name}" for model in models for kind in ("score", "place")]
    items, features, labels = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    sizes = np.array([len(part[0]) for part in parts], dtype=np.int32)
    return Candidates(items, features, labels, sizes, (*names, "popularity", "history"))


def ranked(found: Candidates, cases: Sequence[Case], score: Callable[[Floats], npt.NDArray[np.float64]]) -> Ranked:
    """The candidates in the order of `score` (of features [n, F])."""
    scores = score(found.features)
    ends = np.cumsum(found.sizes)
    ranks, lists = [], []
    for case, end, size in zip(cases, ends, found.sizes, strict=True):
        rows = slice(end - size, end)
        order = found.items[rows][np.argsort(-scores[rows], kind="stable")]
        place = {int(item): at for at, item in enumerate(order)}
        ranks.append(np.array([place.get(int(item), len(order)) for item in case.wanted], dtype=np.int32))
        lists.append(np.resize(order, LISTED))
    return Ranked(tuple(ranks), np.stack(lists).astype(np.int32))


def _masked(scores: Floats, cases: Sequence[Case], *, repeats: bool) -> Floats:
    scores = np.array(scores, dtype=np.float32)
    if not repeats:
        for row, case in zip(scores, cases, strict=True):
            row[case.history] = -np.inf
    return scores


def _of_case(case: Case, items: Ids, scored: Sequence[Floats], known: Floats) -> tuple[Ids, Floats, Ids]:
    columns = []
    for scores in scored:
        finite = scores[np.isfinite(scores)]
        spread = float(finite.std()) or 1.0
        columns.append((np.maximum(scores[items], finite.min()) - finite.mean()) / spread)
        above = len(scores) - np.searchsorted(np.sort(scores), scores[items], side="right")
        columns.append(1.0 / (1.0 + above))
    columns += [known[items], np.full(len(items), len(case.history))]
    features = np.stack(columns, axis=1).astype(np.float32)
    return items.astype(np.int32), features, np.isin(items, case.wanted).astype(np.int32)
