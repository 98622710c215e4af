"""A batch by customer: whose state it concerns, which of its events are new, and how they are taken in."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field

from rapport.bus.messages import Message
from rapport.events.behaviour import Behaviour
from rapport.events.profiler_inbox import CustomerSaid, IdentityLinked, ProfileAbsorbed, TimePassed
from services.profiler.domain.customer import Customer, Insight
from services.profiler.domain.identity import absorb, link
from services.profiler.domain.observation import Observation
from services.profiler.domain.reading import hear, observe
from services.profiler.domain.rules import MINUTE_MS, Rules
from services.profiler.errands import Errand, link_from, onward
from services.profiler.observers import Observer
from services.profiler.ports import Catalogue, CustomerStates, Key

# A clock may run ahead by this much. A time farther in the future is taken for the moment of arrival: believed, it
# would fade everything else away.
_CLOCK_TOLERANCE_MS = 5 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Arrival:
    """A customer who turned out to be the one whose state this is."""

    event: ProfileAbsorbed
    customer: Customer


@dataclass(frozen=True, slots=True)
class Renaming:
    """The customer turned out to be somebody else."""

    same_as: str
    at: int


@dataclass(frozen=True, slots=True)
class Passing:
    """Nothing came until `at`."""

    at: int


Step = Observation | Arrival | Renaming | Passing


@dataclass(slots=True)
class Work:
    """One customer's part of a batch."""

    customer: Customer
    first: Message
    last: Message
    steps: list[Step] = field(default_factory=list)
    errands: list[Errand] = field(default_factory=list)
    """What other partitions have to be told."""
    repeated: bool = False
    """The state has some of the messages already, but what they led to may not have been published: crashed between."""
    changed: bool = False

    @property
    def seen(self) -> list[Observation]:
        return [step for step in self.steps if isinstance(step, Observation)]

    def advance(self, insight: Insight | None, rules: Rules, observers: Sequence[Observer]) -> bool:
        """Takes the steps in order; False when there is nothing to tell of them."""
        for step in self.steps:
            if isinstance(step, Observation):
                self._see(step, insight, rules, observers)
            elif isinstance(step, Renaming):
                self.changed = link(self.customer, step.same_as, step.at) or self.changed
            elif isinstance(step, Passing):
                self._age(step, observers)
            else:
                self._welcome(step, insight, rules)
        return self.changed or self.repeated

    def _see(self, seen: Observation, insight: Insight | None, rules: Rules, observers: Sequence[Observer]) -> None:
        stranger = seen.anonymous_id not in (None, *self.customer.anonymous, self.last.key)
        if not self.customer.apply(seen, insight, rules):
            return
        self.changed = True
        if stranger:
            self.errands.append(link_from(self.last.key, seen))
        for observer in observers:
            observer.see(self.customer, seen, insight)

    def _age(self, passing: Passing, observers: Sequence[Observer]) -> None:
        if self.customer.merged_into or not self.customer.age(passing.at):
            return
        self.changed = True
        for observer in observers:
            observer.age(self.customer)

    def _welcome(self, arrival: Arrival, insight: Insight | None, rules: Rules) -> None:
        further = onward(self.customer, arrival.event)
        if further is not None:
            self.errands.append(further)
            return
        if insight is None:
            return  # never: whoever asks for arrivals' vectors gets an insight
        # A circle of links ends here: somebody has to be the one.
        self.customer.merged_into = ""
        absorb(self.customer, arrival.customer, arrival.event.absorbed_id, insight.background, rules)
        self.changed = True


def by_customer(messages: Sequence[Message], states: CustomerStates, catalogue: Catalogue) -> dict[Key, Work]:
    """The batch's work, customers in the order in which they first appear."""
    works: dict[Key, Work] = {}
    for message in messages:
        step = _step(message, states, catalogue)
        if step is None:
            continue
        key = (message.envelope.tenant, message.key)
        work = works.get(key)
        if work is None:
            customer = states.load(key) or Customer.nobody(_moment(message))
            work = works[key] = Work(customer, message, message)
        work.last = message
        if states.includes(key, message.position):
            work.repeated = True
        else:
            work.steps.append(step)
    return works


def _step(message: Message, states: CustomerStates, catalogue: Catalogue) -> Step | None:
    event, envelope = message.event, message.envelope
    match event:
        case Behaviour():
            at = _moment(message)
            return observe(event, envelope.id, envelope.source, at, lambda id_: catalogue.product(envelope.tenant, id_))
        case CustomerSaid():
            return hear(event, event.message_id, envelope.source, _moment(message))
        case IdentityLinked():
            return Renaming(event.same_as, _moment(message))
        case ProfileAbsorbed():
            return Arrival(event, states.unpack(base64.b64decode(event.state)))
        case TimePassed():
            return Passing(_moment(message))
    return None


def _moment(message: Message) -> int:
    """Event time."""
    said = message.event.occurred_at if message.event else None
    happened = int((said or message.envelope.time).timestamp() * 1000)
    arrived = message.timestamp_ms
    return happened if happened <= arrived + _CLOCK_TOLERANCE_MS else arrived
