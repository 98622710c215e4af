"""What one run of the simulation is like."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Self

# Events that one visit brings about in the mean, with its order's later states and reviews. Measured over 20,000 visits
# (a test holds it); turns events per second into visits.
EVENTS_PER_VISIT = 12.1
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Plan:
    """The same plan gives the same events, byte for byte."""

    start: datetime
    visits_per_s: float
    seed: int = 1
    """Decides who the shoppers are and what they like."""
    shoppers: int = 3000
    speed: float = 1.0
    """How many times faster than in life parcels travel and tastes drift. Clicks always take their time."""
    rhythm: bool = False
    """True: fewer visits by night. False: as many at every hour, though by those who are about at that hour."""
    run: str = "0"
    """Part of every session, order and event id: two runs that go to the same topics need different ones."""

    @classmethod
    def at_rate(cls, rate: float, start: datetime, *, seed: int, shoppers: int, speed: float, run: str = "0") -> Self:
        """A plan for `rate` events a second in the mean."""
        return cls(start, rate / EVENTS_PER_VISIT, seed, shoppers, speed, rhythm=False, run=run)

    def days(self, number: float) -> timedelta:
        """So many days of the shop, in the time of the events."""
        return timedelta(seconds=number * _DAY_S / self.speed)

    def random(self, *about: object) -> Random:
        """Dice for one purpose, the same in every process. Independent of the run, as shoppers are."""
        return Random("/".join(str(part) for part in (self.seed, *about)))
