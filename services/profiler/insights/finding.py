"""A finding, and how sure one can be of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DAY_MS = 86_400_000
SPAN_MS = 600_000
"""Width of a span in `buckets`, so that a window of an hour is true to a sixth."""
# A shop asks hundreds of such questions an hour: at this level of each one, a false alarm is a matter of months.
SURE = 0.9999
# Of opinions, from -1 to 1: nobody's mood is more certain.
_LEAST_SPREAD = 0.2


@dataclass(frozen=True, slots=True)
class Windows:
    """What counts as now, and what it is compared with: the time before it. Event time, milliseconds."""

    now: int
    recent_ms: int = DAY_MS
    baseline_ms: int = 7 * DAY_MS

    @property
    def start(self) -> int:
        return self.now - self.recent_ms

    @property
    def until(self) -> int:
        """Where sums end that shall hold the newest events too: beyond the span that `now` lies in."""
        return self.now + SPAN_MS

    @property
    def before(self) -> int:
        return self.start - self.baseline_ms


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `size`: how much of it there is, in the unit that `data` names; its changes make it news again."""

    kind: str
    subject: str
    sentence: str
    size: float
    confidence: float
    start: int
    end: int
    evidence: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    direction: int = 0
    """-1 down, 1 up, 0 neither: a turn is news."""


def proportion_differs(hits: int, tries: int, hits_before: int, tries_before: int) -> float:
    """How sure it is that two shares differ, 0 to 1: two-sided two-proportion z-test, pooled."""
    if not tries or not tries_before:
        return 0.0
    pooled = (hits + hits_before) / (tries + tries_before)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / tries + 1 / tries_before))
    return _certainty((hits / tries - hits_before / tries_before) / spread) if spread else 0.0


def rate_differs(count: int, hours: float, count_before: int, hours_before: float) -> float:
    """How sure it is that two rates of Poisson counts differ, 0 to 1: conditional normal test (Przyborowski 1940).

    The counts of a shop are bursty: their variance is taken as twice the Poisson one.
    """
    total = count + count_before
    if not total:
        return 0.0
    share = hours / (hours + hours_before)
    spread = math.sqrt(2 * total * share * (1 - share))
    return _certainty((count - total * share) / spread)


def mean_differs(now: tuple[float, float, int], before: tuple[float, float, int]) -> float:
    """How sure it is that two means differ, 0 to 1 (z of two samples, pooled). Each: mean, standard deviation, count.

    Pooled, not Welch's: five scores that happen to be alike have no spread of their own, and would be as sure of
    themselves as hundreds.
    """
    mean, spread, count = now
    mean_before, spread_before, count_before = before
    if count < 2 or count_before < 2:
        return 0.0
    pooled = math.sqrt((count * spread**2 + count_before * spread_before**2) / (count + count_before - 2))
    return _certainty((mean - mean_before) / (max(pooled, _LEAST_SPREAD) * math.sqrt(1 / count + 1 / count_before)))


def mean_is_off(mean: float, spread: float, count: int) -> float:
    """How sure it is that a mean is not 0, 0 to 1 (z of one sample)."""
    return _certainty(mean / (max(spread, _LEAST_SPREAD) / math.sqrt(count)))


def _certainty(z: float) -> float:
    return math.erf(abs(z) / math.sqrt(2))


def percent(share: float) -> str:
    """For a sentence: 3.4 %, 42 %."""
    return f"{share:.1%}" if share < 0.1 else f"{share:.0%}"
