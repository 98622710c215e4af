"""Writes down one visit: the running time, who the shop believes it sees, the cart, the events so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from rapport.events.base import Event
from rapport.events.behaviour import Behaviour, Context, Identify
from services.demo.domain.goods import Product
from services.demo.domain.interest import Interest
from services.demo.domain.shopper import Shopper
from services.demo.domain.world import TimedEvent


@dataclass
class Journal:
    """Grows while the visit goes on."""

    shopper: Shopper
    interest: Interest
    visit_id: str
    now: datetime
    dice: Random
    known: bool
    """Signed in."""
    campaign: str | None = None
    cart: list[Product] = field(default_factory=list)
    events: list[TimedEvent] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    """What the visit was about, in order."""

    def pause(self, seconds: float) -> None:
        """Reading, thinking, typing: about so many seconds."""
        self.now += timedelta(milliseconds=int(1000 * seconds * self.dice.uniform(0.4, 1.6)))

    def note(self, kind: type[Behaviour], seconds: float, **fields: Any) -> None:
        """After about `seconds`, this happened."""
        self.pause(seconds)
        shopper = self.shopper
        event = kind(
            occurred_at=self.now,
            customer_id=shopper.customer_id if self.known else None,
            anonymous_id=None if self.known else shopper.anonymous_id,
            session_id=self.visit_id,
            context=Context(device=shopper.device, locale=shopper.locale, campaign=self.campaign),
            **fields,
        )
        self.put("clickstream.v1", event.subject, event)

    def sign_in(self) -> None:
        """From now on the shop knows who it is."""
        if self.known:
            return
        self.pause(15)
        shopper = self.shopper
        event = Identify(
            occurred_at=self.now,
            customer_id=shopper.customer_id,
            anonymous_id=shopper.anonymous_id,
            session_id=self.visit_id,
            context=Context(device=shopper.device, locale=shopper.locale),
            traits={"language": shopper.language},
        )
        self.known = True
        self.put("clickstream.v1", event.subject, event)

    def put(self, topic: str, key: str, event: Event, time: datetime | None = None) -> TimedEvent:
        """Any event, now or at `time`. Its id is the visit's and a number."""
        timed = TimedEvent(topic, key, event, time or self.now, f"{self.visit_id}-{len(self.events)}")
        self.events.append(timed)
        return timed
