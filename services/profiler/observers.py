"""Where parts of the profile that are learned join the handler: segments, propensity, churn, sentiment.

An observer sees each event after the customer has taken it in, keeps what it learns in `customer.learned`, and tells
what others shall read. All observers of a batch are called in the order of `Ports.observers`:

    prepare   once a batch, before anything changes: model calls, all texts at once
    see       once an event, in the order of one customer's events
    finish    once a batch, with all customers whom it changed: vectorised work, events to publish
    describe  once a changed customer: fields of `ProfileUpdated`
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rapport.bus.messages import Message, Outgoing
from services.profiler.domain.customer import Customer, Insight
from services.profiler.domain.observation import Observation


@dataclass(frozen=True, slots=True)
class Touched:
    """A customer whom a batch changed."""

    tenant: str
    customer_id: str
    customer: Customer
    last: Message
    """The newest of the batch's messages about them: name outputs by its position, so that a repeat says the same."""


class Observer:
    """Does nothing by itself: override what the part needs.

    What goes into `customer.learned` must follow from the log and the promoted model versions alone: no clock, no
    random number, nothing that depends on how the log was cut into batches. A batch may be tried again.
    """

    async def prepare(self, batch: Sequence[tuple[Customer, Observation]], insight: Insight | None) -> None:
        """`batch`: customers as they are before it. Raises `RetryableError` to have the batch tried again."""

    def see(self, customer: Customer, seen: Observation, insight: Insight | None) -> None:
        """`customer` has taken `seen` in. Not called for a repeated event. A few microseconds, no waiting."""

    def finish(self, touched: Sequence[Touched]) -> Sequence[Outgoing]:
        """Events to publish in the batch's transaction. May change `customer.learned` a last time."""
        del touched
        return ()

    def describe(self, customer: Customer) -> Mapping[str, Any]:
        """Fields of `ProfileUpdated` by name."""
        del customer
        return {}
