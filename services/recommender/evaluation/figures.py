"""From ranks to figures, each with an interval.

Per case, with W wanted items: hit rate HR@k = 1 if any stands among the first k; recall@k = how many of them / |W|;
NDCG@k = Σ 1/log2(place + 2) over those among the first k, divided by the best possible sum; MRR = 1 / (1 + best place).
Over all lists: coverage@k = share of the catalogue shown to anybody; novelty@k = mean of -log2 p(i), p(i) the
item's share of the training interactions (Vargas and Castells 2011); popularity bias@k = mean popularity percentile of
what is shown (0.5: as a random choice, 1: bestsellers only).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.recommender.evaluation.full_ranking import Ranked
from services.recommender.evaluation.histories import Ids

Doubles = npt.NDArray[np.float64]

_RESAMPLES = 1000
# Of the percentile bootstrap: 95 %.
_TAILS = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean over cases with its 95 % interval (percentile bootstrap over cases)."""

    value: float
    low: float
    high: float


def per_case(ranked: Ranked, cuts: Sequence[int]) -> dict[str, Doubles]:
    """[cases] of each figure."""
    found: dict[str, Doubles] = {"MRR": np.array([1.0 / (1.0 + ranks.min()) for ranks in ranked.ranks])}
    for cut in cuts:
        found[f"HR@{cut}"] = np.array([float(ranks.min() < cut) for ranks in ranked.ranks])
        found[f"Recall@{cut}"] = np.array([float((ranks < cut).mean()) for ranks in ranked.ranks])
        found[f"NDCG@{cut}"] = np.array([_ndcg(ranks, cut) for ranks in ranked.ranks])
    return found


def _ndcg(ranks: Ids, cut: int) -> float:
    gained = (1.0 / np.log2(ranks[ranks < cut] + 2.0)).sum()
    return float(gained / (1.0 / np.log2(np.arange(min(cut, len(ranks))) + 2.0)).sum())


def summed_up(values: Mapping[str, Doubles], seed: int = 1) -> dict[str, Figure]:
    """Each figure over its cases. All share the same resamples, so models on the same cases can be compared."""
    cases = len(next(iter(values.values())))
    dice = np.random.default_rng(seed)
    names = list(values)
    table = np.stack([values[name] for name in names])
    means = np.empty((_RESAMPLES, len(names)))
    for row in means:
        # How often each case is drawn, in place of drawing cases: one small product for each resample.
        row[:] = table @ np.bincount(dice.integers(cases, size=cases), minlength=cases) / cases
    low, high = np.percentile(means, _TAILS, axis=0)
    return {name: Figure(float(table[at].mean()), float(low[at]), float(high[at])) for at, name in enumerate(names)}


def difference(ours: Doubles, theirs: Doubles, seed: int = 1) -> Figure:
    """Ours less theirs on the same cases, paired."""
    return summed_up({"difference": ours - theirs}, seed)["difference"]


def of_lists(lists: Ids, popularity: npt.NDArray[np.int64], cut: int) -> dict[str, float]:
    """Coverage, novelty and popularity bias of the first `cut` places. `popularity`: [items] in training."""
    shown = lists[:, :cut]
    # An item that nobody dealt with is as surprising as one that half a person did.
    share = np.maximum(popularity, 0.5) / max(1, popularity.sum())
    order = np.sort(popularity)
    # The middle of the items that are equally popular.
    percentile = (np.searchsorted(order, popularity, "left") + np.searchsorted(order, popularity, "right")) / 2
    return {
        f"coverage@{cut}": len(np.unique(shown)) / len(popularity),
        f"novelty@{cut}": float(-np.log2(share[shown]).mean()),
        f"popularity_bias@{cut}": float(percentile[shown].mean() / len(popularity)),
    }
