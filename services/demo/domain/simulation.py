"""The whole shop: visitors arrive, their events and their orders' later ones come out in order of time."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count

from services.demo.domain.browsing import browse
from services.demo.domain.buying import buy
from services.demo.domain.interest import Interests
from services.demo.domain.journal import Journal
from services.demo.domain.order_life import OrderLife
from services.demo.domain.plan import Plan
from services.demo.domain.talk import talk
from services.demo.domain.truth import GroundTruth
from services.demo.domain.visitors import Visitors
from services.demo.domain.world import TimedEvent, World

_SIGNED_IN, _SIGNS_IN_LATE, _CHATS, _FROM_CAMPAIGN = 0.7, 0.4, 0.1, 0.2
# Orders of a shopper that questions are asked about.
_RECENT_ORDERS = 3


def simulate(world: World, plan: Plan, truth: GroundTruth | None = None) -> Iterator[TimedEvent]:
    """Events for ever, in order of time. Equal plans give equal events; `truth` learns what no event says."""
    shop = _Shop(world, plan, truth)
    waiting: list[tuple[datetime, int, TimedEvent]] = []
    order = count()
    for number in count():
        arrival = shop.next_arrival()
        while waiting and waiting[0][0] <= arrival:
            yield heapq.heappop(waiting)[2]
        for event in shop.visit(arrival, number):
            heapq.heappush(waiting, (event.time, next(order), event))


class _Shop:
    """What goes on from visit to visit."""

    def __init__(self, world: World, plan: Plan, truth: GroundTruth | None) -> None:
        self._world, self._plan, self._truth = world, plan, truth
        # The run is in here, so that a shop that opens again does not repeat its visits.
        self._dice = plan.random("visits", plan.run)
        self._visitors = Visitors(world, plan)
        self._interests = Interests(world, plan)
        self._orders: dict[str, list[str]] = defaultdict(list)
        self._registered: set[str] = set()
        self._now = plan.start
        self._order_number = 0

    def next_arrival(self) -> datetime:
        """When the next visitor comes: a Poisson process, thinner by night if the plan has a rhythm."""
        rate = self._plan.visits_per_s
        if self._plan.rhythm:
            rate *= self._visitors.busyness(self._now)
        self._now += timedelta(seconds=self._dice.expovariate(rate))
        return self._now

    def visit(self, arrival: datetime, number: int) -> list[TimedEvent]:
        """All that one visit brings about."""
        dice = self._dice
        name = f"{self._plan.run}-{number:06d}"
        shopper = self._visitors.next(arrival, name, dice)
        journal = Journal(
            shopper=shopper,
            interest=self._interests.of(shopper, arrival),
            visit_id=f"s-{self._plan.seed}-{name}",
            now=arrival,
            dice=dice,
            known=shopper.name in self._registered and dice.random() < _SIGNED_IN,
            campaign=dice.choice(self._world.phrases.campaigns) if dice.random() < _FROM_CAMPAIGN else None,
        )
        browse(self._world, journal)
        if dice.random() < _SIGNS_IN_LATE and not self._visitors.is_guest(shopper):
            journal.sign_in()
        if dice.random() < _CHATS:
            about = talk(self._world, journal, self._orders[shopper.name])
            if self._truth:
                self._truth.chats |= about
        later = self._order(journal)
        self._close(journal)
        return [*journal.events, *later]

    def _order(self, journal: Journal) -> list[TimedEvent]:
        bought = buy(self._world, journal, f"LF-{self._plan.run}{self._order_number:05d}")
        if bought is None:
            return []
        self._order_number += 1
        recent = self._orders[journal.shopper.name]
        recent.append(bought.order_id)
        del recent[:-_RECENT_ORDERS]
        life = OrderLife(self._world, self._plan, journal.shopper, bought, self._dice)
        events = life.tell()
        if self._truth:
            self._truth.satisfaction[bought.order_id] = life.satisfaction
        return events

    def _close(self, journal: Journal) -> None:
        shopper = journal.shopper
        self._visitors.left(shopper, journal.now)
        if journal.known:
            self._registered.add(shopper.name)
        if self._truth:
            self._truth.shoppers[shopper.customer_id] = shopper
            self._truth.visits[journal.visit_id] = {"customer_id": shopper.customer_id, "kinds": journal.kinds}
        if self._visitors.is_guest(shopper):
            self._interests.forget(shopper)
            self._orders.pop(shopper.name, None)
            self._registered.discard(shopper.name)
