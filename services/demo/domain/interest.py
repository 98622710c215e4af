"""What a shopper is after at a time. Interests change all at once, at times that nobody is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

from services.demo.domain.plan import Plan
from services.demo.domain.shopper import Shopper
from services.demo.domain.world import World

# Share of visits that are about something outside the shopper's type: presents, whims.
_WHIM = 0.08
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Interest:
    """From `since` on (none: always), the shopper is of this type, with own weights over kinds that sum to 1."""

    type: str
    kinds: Mapping[str, float]
    since: datetime | None

    def pick(self, dice: Random) -> str:
        """A kind of product, by weight."""
        return dice.choices(list(self.kinds), list(self.kinds.values()))[0]


class Interests:
    """Tells interests by time. A pure function of the plan's seed and speed; keeps the latest of each shopper."""

    def __init__(self, world: World, plan: Plan) -> None:
        self._world, self._plan = world, plan
        self._latest: dict[str, tuple[int, Interest]] = {}

    def of(self, shopper: Shopper, time: datetime) -> Interest:
        """What `shopper` is after at `time`."""
        period = self._period(shopper, time)
        kept = self._latest.get(shopper.name)
        if kept is None or kept[0] != period:
            kept = self._latest[shopper.name] = (period, self._make(shopper, period))
        return kept[1]

    def between(self, shopper: Shopper, start: datetime, end: datetime) -> list[Interest]:
        """All interests from `start` to `end`, in order: the second and later ones are drifts."""
        first, last = self._period(shopper, start), self._period(shopper, end)
        interests: list[Interest] = []
        for period in range(first, last + 1):
            made = self._make(shopper, period)
            if not interests or interests[-1].type != made.type:
                interests.append(made)
        return interests

    def forget(self, shopper: Shopper) -> None:
        """For a guest who never comes back."""
        self._latest.pop(shopper.name, None)

    def _period(self, shopper: Shopper, time: datetime) -> int:
        if shopper.drift_days is None:
            return 0
        return int((time - _EPOCH) / self._plan.days(shopper.drift_days) + shopper.drift_phase)

    def _make(self, shopper: Shopper, period: int) -> Interest:
        dice = self._plan.random("interest", shopper.name, period)
        if period == 0 or shopper.drift_days is None:
            kind, since = self._world.type_named(shopper.first_type), None
        else:
            kind = dice.choices(self._world.types, [kind.share for kind in self._world.types])[0]
            since = _EPOCH + self._plan.days(shopper.drift_days) * (period - shopper.drift_phase)
        own = {name: weight * dice.gammavariate(2, 0.5) for name, weight in kind.kinds.items()}
        total = sum(own.values()) / (1 - _WHIM)
        weights = {name: weight / total for name, weight in own.items()}
        whims = dice.sample([name for name in self._world.catalog.kinds if name not in own], 4)
        return Interest(kind.name, weights | dict.fromkeys(whims, _WHIM / len(whims)), since)
