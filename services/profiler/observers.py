"""Where parts of the profile that are learned join the handler: segments, propensity, churn, sentiment.

An observer sees each event after the customer has taken it in, keeps what it learns in `customer.learned`, and tells
what others shall read. All observers of a batch are called in the order of `Ports.observers`:

    prepare   once a batch, before anything changes: model calls, all texts at once
    see       once an event, in the order of one customer's events
    age       once for a customer of whom nothing was heard for so long that it says something by itself
    look      once a batch, at all customers whom it changed, and at a page of customers whose copies were lost:
              vectorised work, for what follows
    finish    once a batch: what is learned of it, events to publish
    describe  once a changed customer: fields of `ProfileUpdated`
    inputs    after it: what the models looked at, kept with the serving copy
    explain   whenever somebody asks for the reasons, from the serving copy alone: any replica may be asked
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rapport.bus.messages import Message, Outgoing
from rapport.events.profiles import ProfileUpdated
from services.profiler.domain.background import Vector
from services.profiler.domain.customer import Customer, Insight
from services.profiler.domain.explanation import Breakdown
from services.profiler.domain.observation import Observation
from services.profiler.domain.trail import Backing


@dataclass(frozen=True, slots=True)
class Touched:
    """A customer whom a batch changed."""

    tenant: str
    customer_id: str
    customer: Customer
    last: Message
    """The newest of the batch's messages about them: name outputs by its position, so that a repeat says the same."""
    acted: bool = True
    """False: they did nothing themselves; ids were merged, or time passed."""


@dataclass(frozen=True, slots=True)
class Served:
    """A customer as the serving copies have them. `needs`: vectors [k, d], in the order of the profile's needs."""

    profile: ProfileUpdated
    backing: Backing
    needs: Vector | None


class Observer:
    """Does nothing by itself: override what the part needs.

    What goes into `customer.learned` must follow from the log and the promoted model versions alone: no clock, no
    random number, nothing that depends on how the log was cut into batches. A batch may be tried again.
    """

    async def prepare(self, batch: Sequence[tuple[Customer, Observation]], insight: Insight | None) -> None:
        """`batch`: customers as they are before it. Raises `RetryableError` to have the batch tried again."""

    def see(self, customer: Customer, seen: Observation, insight: Insight | None) -> None:
        """`customer` has taken `seen` in. Not called for a repeated event. A few microseconds, no waiting."""

    def age(self, customer: Customer) -> None:
        """`customer` was not heard of until `customer.now`."""

    def due(self, customers: Sequence[Customer], at: int) -> Collection[int]:
        """Places of those of `customers` of whom something else is to be told, should nothing come from them until
        `at`. Changes nothing."""
        del customers, at
        return ()

    def look(self, customers: Sequence[Customer]) -> None:
        """What models say of `customers`, all at once, to be told by `describe` and `inputs` right after."""

    def finish(self, touched: Sequence[Touched]) -> Sequence[Outgoing]:
        """Events to publish in the batch's transaction. May change `customer.learned` a last time."""
        del touched
        return ()

    def describe(self, customer: Customer) -> Mapping[str, Any]:
        """Fields of `ProfileUpdated` by name."""
        del customer
        return {}

    def inputs(self, customer: Customer) -> Mapping[str, bytes]:
        """By model, what it looked at, float32: enough for `explain`."""
        del customer
        return {}

    def explain(self, subject: str, served: Served) -> Breakdown | None:
        """What made the number `subject`; None when it is not this part's, or nothing is known of it any more."""
        del subject, served
        return None
