"""What sets a cluster apart, what it is called, and how it keeps its name when clusters are fitted again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from services.profiler.segments.clustering import Clusters
from services.profiler.segments.model import LinearSegments, Rows, Segment, unit

Traits = Mapping[str, float]
"""A customer's traits, e.g. "category: Strollers", each with its share (0 to 1)."""
Overlap = npt.NDArray[np.float64]

_TRAITS, _IN_NAME = 5, 2
# A trait is told only of so much of a segment's interest, and only when it is this much more common than elsewhere.
_LEAST_SHARE, _LEAST_LIFT = 0.05, 1.3
# Two clusterings mean the same segment when they share this part of their customers (Jaccard). Of a segment that fell
# into halves, both could claim the name at a third; the larger one gets it.
_SAME_FROM = 0.34


def described(clusters: Clusters, traits: Sequence[Traits]) -> list[Segment]:
    """A segment for each cluster, ids not given yet. `traits`: of each customer, in the order of the labels."""
    everybody = _mean(traits)
    found: list[Segment] = []
    for number in range(clusters.k):
        members = [trait for trait, label in zip(traits, clusters.labels, strict=True) if label == number]
        lifts = _lifts(_mean(members), everybody)
        name = _name(lifts, {segment.name for segment in found})
        share = len(members) / len(traits)
        found.append(Segment("", name, _sentence(lifts, share), share, tuple(lifts[:_TRAITS])))
    return found


def kept_names(
    found: Sequence[Segment],
    labels: npt.NDArray[np.int64],
    before: LinearSegments | None,
    vectors: Rows,
    *,
    same_space: bool = True,
) -> list[Segment]:
    """`found` with ids; those that continue a segment of `before` have its id and name.

    `labels`: the new cluster of each customer; `vectors` [n, d]: what both models see of them. With another encoder
    than before (not `same_space`) the customers cannot be placed in the old clusters: then traits are compared.
    """
    if before is None:
        return [replace(segment, id=f"taste-{number}") for number, segment in enumerate(found, start=1)]
    if same_space:
        alike = _jaccard(labels, len(found), before, vectors)
    else:
        alike = np.array([[_likeness(new, old) for old in before.segments] for new in found])
    successor = _matched(alike)
    number = max(int(segment.id.rpartition("-")[2]) for segment in before.segments)
    named: list[Segment] = []
    for place, segment in enumerate(found):
        old = before.segments[successor[place]] if place in successor else None
        number += old is None
        taken = {each.name for each in named} | {each.name for each in before.segments}
        name = old.name if old else _unlike(segment.name, taken)
        named.append(replace(segment, id=old.id if old else f"taste-{number}", name=name))
    return named


def _mean(traits: Sequence[Traits]) -> dict[str, float]:
    total: dict[str, float] = {}
    for each in traits:
        for name, share in each.items():
            total[name] = total.get(name, 0.0) + share
    return {name: share / max(1, len(traits)) for name, share in total.items()}


def _lifts(own: Traits, everybody: Traits) -> list[tuple[str, float]]:
    """Telling traits and their lift, the most telling first: by how much of the interest is beyond the usual."""
    telling = [
        (name, share, share / everybody[name])
        for name, share in own.items()
        if share >= _LEAST_SHARE and share >= _LEAST_LIFT * everybody[name]
    ]
    ranked = sorted(telling, key=lambda each: (-(each[1] - each[1] / each[2]), each[0]))
    return [(name, round(lift, 1)) for name, _, lift in ranked]


def _name(lifts: Sequence[tuple[str, float]], taken: set[str]) -> str:
    words = [name.partition(": ")[2] for name, _ in lifts if name.startswith("category: ")]
    return _unlike(" & ".join(words[:_IN_NAME]) or "A bit of everything", taken, words[_IN_NAME:])


def _unlike(name: str, taken: set[str], more: Sequence[str] = ()) -> str:
    """`name`, told from those that are taken by the next trait, else by a number."""
    candidates = [name, *(f"{name} & {word}" for word in more)]
    numbered = (f"{name} ({number})" for number in range(2, len(taken) + 3))
    return next(each for each in [*candidates, *numbered] if each not in taken)


def _sentence(lifts: Sequence[tuple[str, float]], share: float) -> str:
    told = [f"{name.partition(': ')[2]} {lift:g} times" for name, lift in lifts[:3]]
    if not told:
        return f"{share:.0%} of customers, with no interest of their own"
    return f"{share:.0%} of customers, who look at {', '.join(told)} as much as everybody does"


def _jaccard(labels: npt.NDArray[np.int64], k: int, before: LinearSegments, vectors: Rows) -> Overlap:
    old = before.all_probabilities(unit(vectors)).argmax(axis=1)
    both = np.zeros((k, len(before.segments)))
    np.add.at(both, (labels, old), 1)
    union = both.sum(axis=1, keepdims=True) + both.sum(axis=0, keepdims=True) - both
    return np.asarray(both / np.maximum(union, 1))


def _likeness(one: Segment, two: Segment) -> float:
    """Cosine of the traits' lifts."""
    a, b = dict(one.traits), dict(two.traits)
    lengths = np.linalg.norm(list(a.values()) or [1.0]) * np.linalg.norm(list(b.values()) or [1.0])
    return float(sum(lift * b.get(name, 0.0) for name, lift in a.items()) / lengths)


def _matched(alike: Overlap) -> dict[int, int]:
    """The best one-to-one assignment of new to old (Kuhn 1955), without pairs that are not the same thing."""
    from scipy.optimize import linear_sum_assignment

    pairs = zip(*linear_sum_assignment(-alike), strict=True)
    return {int(new): int(old) for new, old in pairs if alike[new, old] >= _SAME_FROM}
