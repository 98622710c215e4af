"""Who comes next: a shopper who is about at this hour and has been away for a while, or a guest."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from services.demo.domain.plan import Plan
from services.demo.domain.shopper import Shopper, make_shopper
from services.demo.domain.world import World

_GUESTS = 0.12
# Sessions are told apart by a gap of 30 minutes: nobody is back before that.
_AWAY = timedelta(minutes=45)
# Tries to find somebody by rejection, before a guest comes instead.
_TRIES = 60
# Even the soundest sleeper is up some nights. Relative, as the hours are.
_LEAST_LIKELY = 0.2
_MOST_LIKELY = 10.0


class Visitors:
    """The shoppers of the plan, made when they first come, and when each may come again."""

    def __init__(self, world: World, plan: Plan) -> None:
        self._world, self._plan = world, plan
        self._regulars: dict[int, Shopper] = {}
        self._away_until: dict[str, datetime] = {}
        self._busyness = [
            sum(kind.share * max(_LEAST_LIKELY, kind.hours[hour]) for kind in world.types) for hour in range(24)
        ]

    def busyness(self, time: datetime) -> float:
        """Visits at this hour of the day against the mean hour."""
        return self._busyness[time.hour] * 24 / sum(self._busyness)

    def next(self, time: datetime, visit: str, dice: Random) -> Shopper:
        """Who arrives at `time`; `visit` names a guest."""
        if dice.random() > _GUESTS:
            for _ in range(_TRIES):
                shopper = self._regular(dice.randrange(self._plan.shoppers))
                hours = self._world.type_named(shopper.first_type).hours
                likely = shopper.activity * max(_LEAST_LIKELY, hours[time.hour]) / _MOST_LIKELY
                if dice.random() < likely and self._away_until.get(shopper.name, time) <= time:
                    return shopper
        return make_shopper(self._world, self._plan, f"g{visit}")

    def is_guest(self, shopper: Shopper) -> bool:
        """Comes once."""
        return shopper.name.startswith("g")

    def left(self, shopper: Shopper, time: datetime) -> None:
        """The visit ended at `time`."""
        if not self.is_guest(shopper):
            self._away_until[shopper.name] = time + _AWAY

    def _regular(self, number: int) -> Shopper:
        if number not in self._regulars:
            self._regulars[number] = make_shopper(self._world, self._plan, f"{number:05d}")
        return self._regulars[number]
