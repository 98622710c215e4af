"""Time that passes says something too: who stays away becomes a lapsing customer without doing anything.

A look at all customers, now and then, finds those of whom something else is to be told by now, and sends each a
`time_passed` through the inbox. So what time changes comes from the log like everything else: once, in order with the
customer's own events, and the same when it is read again. Time is event time: a shop that is quiet does not age.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import structlog

from rapport.bus.messages import Outgoing
from rapport.bus.producer import EventProducer
from rapport.events.profiler_inbox import TimePassed
from rapport.ops.errors import RapportError
from rapport.ops.tasks import Background
from services.profiler.domain.customer import Customer, Insight
from services.profiler.domain.observation import Observation
from services.profiler.domain.times import utc
from services.profiler.errands import INBOX
from services.profiler.observers import Observer
from services.profiler.ports import Key

log = structlog.stdlib.get_logger(__name__)
# Of the loop's time that a look may take: the rest belongs to the events.
_SHARE = 0.1
Pages = Iterable[Mapping[Key, Customer]]


class Clock(Observer):
    """The newest event time that this process has heard of; 0 before the first event."""

    def __init__(self) -> None:
        self.now = 0

    def see(self, customer: Customer, seen: Observation, insight: Insight | None) -> None:
        del customer, insight
        self.now = max(self.now, seen.at)


class Ageing(Background):
    """Looks every `every_s` seconds, as a part, and tells of `at_most` customers; the next look finds the others."""

    name = "ageing"

    def __init__(
        self,
        pages: Callable[[], Pages],
        clock: Clock,
        observers: Sequence[Observer],
        producer: EventProducer,
        every_s: float,
        at_most: int,
    ) -> None:
        """`pages`: the customers of this process's partitions."""
        self._pages, self._clock, self._observers, self._producer = pages, clock, observers, producer
        self._every_s, self._at_most = every_s, at_most
        self._detail = "not looked yet"

    async def look(self) -> int:
        """One look; how many customers it told. Raises `RetryableError` when the broker does not answer."""
        at, found = self._clock.now, list[Key]()
        if not at:
            return 0
        began = time.monotonic()
        for page in self._pages():
            found += overdue(page, self._observers, at)
            if len(found) >= self._at_most:
                break
            await asyncio.sleep((time.monotonic() - began) * (1 / _SHARE - 1))
            began = time.monotonic()
        found = found[: self._at_most]
        await self._producer.send_many([_passed(key, at) for key in found])
        return len(found)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            try:
                told = await self.look()
            except RapportError as error:
                self._detail = str(error)
            else:
                self._detail = f"{told} customers in the last look"
                log.info("time passed", customers=told)


def overdue(page: Mapping[Key, Customer], observers: Sequence[Observer], at: int) -> list[Key]:
    """Those of `page` of whom something else is to be told at `at`. Who is another customer by now is told of there."""
    keys = [key for key, each in page.items() if each.event_count and not each.merged_into and each.now < at]
    customers = [page[key] for key in keys]
    places = {place for observer in observers for place in observer.due(customers, at)}
    return [keys[place] for place in sorted(places)]


def _passed(key: Key, at: int) -> Outgoing:
    event = TimePassed(customer_id=key[1], occurred_at=utc(at))
    return Outgoing(INBOX, key[1], event, f"time/{key[1]}/{at}", key[0])
