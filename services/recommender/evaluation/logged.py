"""Rankers judged by what was logged: would they have put what was clicked higher than it stood?

A click at place k says more than one at place 0, since k is seldom looked at: each gain is divided by the probability
that its logged place was examined (inverse propensity scoring, Joachims et al. 2017), clipped. The figure of a list is
Σ gain/P(examined) · 1/log2(place + 2) over the same sum in the best order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from services.recommender.domain.reactions import examination
from services.recommender.evaluation.figures import Doubles, Figure, difference, summed_up
from services.recommender.training.impressions import Seen

Score = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.floating]]
# A single click far down must not outweigh the rest.
_MOST_WEIGHT = 10.0
LOGGED = "as shown"


def judged_on_lists(seen: Sequence[Seen], rankers: Mapping[str, Score]) -> dict[str, tuple[Figure, Figure]]:
    """For the order as shown, for every shadow that was scored with all of the lists, and for `rankers`: the figure,
    and how far it is ahead of the order as shown, list by list. Lists without a click say nothing."""
    told = [one for one in seen if one.gains.any() and len(one.gains) > 1]
    if not told:
        return {}
    values = {LOGGED: np.array([_figure(one, -one.positions.astype(np.float64)) for one in told])}
    shadows = set.intersection(*(set(one.shadows) for one in told))
    for name in sorted(shadows):
        values[f"shadow {name}"] = np.array([_figure(one, one.shadows[name]) for one in told])
    for name, score in rankers.items():
        values[name] = np.array([_figure(one, score(one.features)) for one in told])
    return {name: (summed_up({name: each})[name], difference(each, values[LOGGED])) for name, each in values.items()}


def _figure(one: Seen, scores: npt.NDArray[np.floating] | Doubles) -> float:
    examined = np.array([examination(int(place)) for place in one.positions])
    worth = one.gains * np.minimum(1.0 / examined, _MOST_WEIGHT)
    # Equal scores keep the order in which they stood.
    order = np.lexsort((one.positions, -np.asarray(scores, dtype=np.float64)))
    discount = 1.0 / np.log2(np.arange(len(worth)) + 2.0)
    return float((worth[order] * discount).sum() / (np.sort(worth)[::-1] * discount).sum())
