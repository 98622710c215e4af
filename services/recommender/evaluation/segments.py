"""Parts of the cases that are looked at apart: a good mean can hide that newcomers get nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from services.recommender.evaluation.splits import Case

Mask = npt.NDArray[np.bool_]
# Items that together have half of all interactions are the head, the rarest that have a fifth the tail.
_HEAD, _TAIL = 0.5, 0.8


def segments(cases: Sequence[Case], popularity: npt.NDArray[np.int64], of_user: Mapping[int, str]) -> dict[str, Mask]:
    """By name, [cases]: which belong to it. By length of the history, by how known the wanted items are, and by the
    customer's own segment where `of_user` names one. Empty ones are left out."""
    length = np.array([len(case.history) for case in cases])
    found = {
        "history 1-3": length <= 3,
        "history 4-9": (length > 3) & (length < 10),
        "history 10+": length >= 10,
        **_by_popularity(cases, popularity),
    }
    for name in sorted(set(of_user.values())):
        found[f"segment {name}"] = np.array([of_user.get(case.user) == name for case in cases])
    return {name: mask for name, mask in found.items() if mask.any()}


def _by_popularity(cases: Sequence[Case], popularity: npt.NDArray[np.int64]) -> dict[str, Mask]:
    order = np.argsort(-popularity, kind="stable")
    before = np.empty(len(order))
    # The share of interactions that more popular items have.
    before[order] = np.concatenate(([0.0], np.cumsum(popularity[order])[:-1])) / max(1, popularity.sum())
    known = np.array([before[case.wanted].mean() for case in cases])
    return {
        "wanted is popular": known < _HEAD,
        "wanted is ordinary": (known >= _HEAD) & (known < _TAIL),
        "wanted is rare": known >= _TAIL,
    }
