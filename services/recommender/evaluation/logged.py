"""Rankers judged by what was logged: would they have put what was clicked higher than it stood?

A click at place k says more than one at place 0, since k is seldom looked at: each gain is divided by the probability
that its logged place was examined (inverse propensity scoring, Joachims et al. 2017), clipped. The figure of a list is
Σ gain/P(examined) · 1/log2(place + 2) over the same sum in the best order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from services.recommender.domain.reactions import examination
from services.recommender.evaluation.figures import Doubles, Figure, difference, summed_up
from services.recommender.training.impressions import Seen

Score = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.floating]]
# A single click far down must not outweigh the rest.
_MOST_WEIGHT = 10.0
LOGGED = "as shown"


class Judged(NamedTuple):
    """One ranker on the lists that it can be judged by."""

    figure: Figure
    ahead: Figure
    """Of the order as shown, list by list."""
    lists: int


def judged_on_lists(seen: Sequence[Seen], rankers: Mapping[str, Score]) -> dict[str, Judged]:
    """The order as shown, and `rankers`. Lists without a click say nothing."""
    told = [one for one in seen if one.gains.any() and len(one.gains) > 1]
    if not told:
        return {}
    shown = _as_shown(told)
    found = {LOGGED: _judged(shown, shown)}
    for name, score in rankers.items():
        found[name] = _judged(np.array([_figure(one, score(one.features)) for one in told]), shown)
    return found


def shadows_on_lists(seen: Sequence[Seen]) -> dict[str, Judged]:
    """Every ranker that was scored but not shown, each on the lists that it was scored with."""
    told = [one for one in seen if one.gains.any() and len(one.gains) > 1]
    found = {}
    for name in sorted({name for one in told for name in one.shadows}):
        scored = [one for one in told if name in one.shadows]
        found[name] = _judged(np.array([_figure(one, one.shadows[name]) for one in scored]), _as_shown(scored))
    return found


def _as_shown(seen: Sequence[Seen]) -> Doubles:
    return np.array([_figure(one, -one.positions.astype(np.float64)) for one in seen])


def _judged(values: Doubles, shown: Doubles) -> Judged:
    return Judged(summed_up({"figure": values})["figure"], difference(values, shown), len(values))


def _figure(one: Seen, scores: npt.NDArray[np.floating] | Doubles) -> float:
    examined = np.array([examination(int(place)) for place in one.positions])
    worth = one.gains * np.minimum(1.0 / examined, _MOST_WEIGHT)
    # Equal scores keep the order in which they stood.
    order = np.lexsort((one.positions, -np.asarray(scores, dtype=np.float64)))
    discount = 1.0 / np.log2(np.arange(len(worth)) + 2.0)
    return float((worth[order] * discount).sum() / (np.sort(worth)[::-1] * discount).sum())
