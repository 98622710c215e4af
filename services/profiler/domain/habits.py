"""What a customer does again and again: at which hours, on what, how visits end, what is bought reduced or returned."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.profiler.domain.decay import Tally
from services.profiler.domain.observation import Observation, Stage
from services.profiler.domain.rules import HOUR_MS, Rules
from services.profiler.domain.session import Session

_MAX_DEVICES = 4
_HOURS = 24
# Pieces, and looks, without which a share of them means nothing.
_PRIOR = 2


@dataclass(slots=True)
class Habits:
    """Tallies decay like affinities; counts do not."""

    hours: Tally = field(default_factory=Tally)
    """Hours of the day, UTC, "0" to "23"."""
    devices: Tally = field(default_factory=Tally)
    exits: dict[str, int] = field(default_factory=dict)
    """Sessions that are over, by the farthest stage that each reached."""
    looked: int = 0
    """Products seen whose price is known, and how many of them were reduced."""
    looked_reduced: int = 0
    bought: int = 0
    """Pieces ordered, and how many of them at a reduced price or with a coupon."""
    bought_reduced: int = 0
    returned: int = 0
    """Pieces sent back."""
    too_late: int = 0
    """Events that came after the allowed lateness, and moved nothing but this."""
    late: int = 0
    """Events that came out of order, within the allowed lateness."""

    def learn(self, seen: Observation, rules: Rules) -> None:
        """Takes in one event."""
        self.hours.add(str(seen.at // HOUR_MS % _HOURS), 1.0, seen.at, rules.affinity_half_life_ms, _HOURS)
        if seen.device:
            self.devices.add(seen.device, 1.0, seen.at, rules.affinity_half_life_ms, _MAX_DEVICES)
        self.looked += seen.priced
        self.looked_reduced += seen.priced_reduced
        self.bought += seen.pieces
        self.bought_reduced += seen.pieces_reduced
        self.returned += seen.pieces_returned

    def leave(self, session: Session) -> None:
        """The session is over."""
        if session.number:
            name = Stage(session.stage).name.lower()
            self.exits[name] = self.exits.get(name, 0) + 1

    def join(self, other: Habits, rules: Rules) -> None:
        """Adds what the same person did under another id."""
        self.hours.join(other.hours, rules.affinity_half_life_ms, _HOURS)
        self.devices.join(other.devices, rules.affinity_half_life_ms, _MAX_DEVICES)
        for name, count in other.exits.items():
            self.exits[name] = self.exits.get(name, 0) + count
        for name in ("looked", "looked_reduced", "bought", "bought_reduced", "returned", "too_late", "late"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def returns_rate(self) -> float | None:
        """Pieces sent back of those ordered; None before the first order."""
        return min(1.0, self.returned / self.bought) if self.bought else None

    @property
    def discount_sensitivity(self) -> float | None:
        """How much more often what is bought is reduced than what is looked at, -1 to 1; None before the first order.

        (b' - b s) / (b + 2), s = l' / (l + 2): pieces bought reduced beyond what the share s of looks would lead to.
        The twos keep one order, or one look, from saying much; who neither buys nor sees anything reduced is at 0.
        Looks stand for what the shop offers: in a sale everything is reduced, and means nothing.
        """
        if not self.bought:
            return None
        offered = self.looked_reduced / (self.looked + _PRIOR)
        return (self.bought_reduced - self.bought * offered) / (self.bought + _PRIOR)
