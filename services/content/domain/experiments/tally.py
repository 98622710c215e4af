"""What an experiment's variations have had so far: customers, successes, money; plain, and decayed for bandits."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

_DAY_S = 86_400.0


@dataclass(slots=True)
class Counts:
    """Of one variation, in one segment."""

    customers: int = 0
    successes: int = 0
    value: float = 0.0
    recent_customers: float = 0.0
    """Decayed by the plan's half-life up to the tally's newest event."""
    recent_successes: float = 0.0

    def add(self, other: Counts) -> None:
        self.customers += other.customers
        self.successes += other.successes
        self.value += other.value
        self.recent_customers += other.recent_customers
        self.recent_successes += other.recent_successes


@dataclass(slots=True)
class Tally:
    """Counts by segment and variation. `half_life_days` None: nothing is forgotten.

    A success weighs as much as its view: both decay from the moment of the view. So a late outcome does not look like a
    better rate.
    """

    half_life_days: float | None = None
    counts: dict[tuple[str, str], Counts] = field(default_factory=lambda: defaultdict(Counts))
    newest_s: float | None = None

    def viewed(self, segment: str, variation: str, at: datetime) -> None:
        weight = self._weight(at)
        found = self.counts[segment, variation]
        found.customers += 1
        found.recent_customers += weight

    def succeeded(self, segment: str, variation: str, viewed_at: datetime, value: float) -> None:
        weight = self._weight(viewed_at)
        found = self.counts[segment, variation]
        found.successes += 1
        found.value += value
        found.recent_successes += weight

    def of(self, variation: str, segment: str | None = None) -> Counts:
        """Of one segment, or of all together."""
        total = Counts()
        for (own, name), counts in self.counts.items():
            if name == variation and segment in {None, own}:
                total.add(counts)
        return total

    def segments(self) -> list[str]:
        return sorted({segment for segment, _ in self.counts})

    def _weight(self, at: datetime) -> float:
        """Of an event at `at`, relative to the newest; a newer one ages all that is there."""
        if self.half_life_days is None:
            return 1.0
        moment = at.timestamp()
        if self.newest_s is None or moment > self.newest_s:
            if self.newest_s is not None:
                factor = self._decay(moment - self.newest_s)
                for counts in self.counts.values():
                    counts.recent_customers *= factor
                    counts.recent_successes *= factor
            self.newest_s = moment
            return 1.0
        return self._decay(self.newest_s - moment)

    def _decay(self, seconds: float) -> float:
        assert self.half_life_days is not None
        return float(0.5 ** (seconds / (self.half_life_days * _DAY_S)))
