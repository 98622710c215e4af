"""Counts that fade, kept so that they never have to be touched again as time passes.

Forward decay (Cormode, Shkapenyuk, Srivastava, Xu 2009) with half-life h: an event of weight w at time t adds
w · 2^(t/h), and what a sum is worth at time T is the sum · 2^(-T/h). The sums grow beyond any float within months, so
their logarithm (base 2) is what is stored: a "mark". Adding marks is commutative, so events may come late or in any
order, and the order of marks is the order of worth at every T.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_HOUR_MS = 3_600_000
# Half-lives in the future by a wrong clock must not overflow; 2^60 is more than any shop has events.
_MOST = 60.0


@dataclass(frozen=True, slots=True)
class Decay:
    half_life_hours: float

    def mark(self, weight: float, at_ms: int) -> float:
        """One event of `weight` > 0."""
        return math.log2(weight) + self._half_lives(at_ms)

    def worth(self, mark: float, at_ms: int) -> float:
        """What a mark is worth at a time: in events of weight 1 that happen just then."""
        return math.exp2(min(mark - self._half_lives(at_ms), _MOST))

    def worths(self, marks: npt.NDArray[np.float64], at_ms: int) -> npt.NDArray[np.float64]:
        """The same for several."""
        return np.exp2(np.minimum(marks - self._half_lives(at_ms), _MOST))

    def _half_lives(self, at_ms: int) -> float:
        return at_ms / (self.half_life_hours * _HOUR_MS)


def add_marks(one: float, other: float) -> float:
    """The mark of both together: log2(2^one + 2^other) without leaving the range of floats."""
    larger, smaller = max(one, other), min(one, other)
    return larger + math.log2(1.0 + math.exp2(smaller - larger))


# What goes together changes with the assortment and the season, over weeks.
CO_VISITS = Decay(half_life_hours=14 * 24)
# What is hot now is cold tomorrow.
TRENDING = Decay(half_life_hours=6)
# How people take what they are shown: long enough to gather, short enough to forget a bad picture that was replaced.
REACTIONS = Decay(half_life_hours=14 * 24)
# What sells over a season.
POPULAR = Decay(half_life_hours=30 * 24)
