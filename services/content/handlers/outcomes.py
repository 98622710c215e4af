"""What came of views: clicks and orders that followed within the window, under whichever id of the customer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rapport.bus.messages import KeyedState, Message, Outgoing
from rapport.events.behaviour import Behaviour, ContentClicked, ContentShown, Identify, OrderCompleted
from rapport.events.content_inbox import JourneyJoined, JourneyLinked
from rapport.events.experiments import ExperimentOutcome, ExperimentViewed
from services.content.domain.audience import People
from services.content.domain.experiments.board import Board, segment_of
from services.content.domain.experiments.joining import asking, handed_over, joined, remembering, settled
from services.content.domain.experiments.journey import Happening, Journey, Step, clicked, ordered, shown

INBOX = "content.inbox.v1"
_Made = ExperimentViewed | ExperimentOutcome | JourneyLinked | JourneyJoined


@dataclass(frozen=True, slots=True)
class _Turn:
    """A customer's journey after a message, and what to publish for it."""

    journey: Journey
    events: Sequence[_Made] = ()


@dataclass(frozen=True, slots=True)
class OutcomeHandlers:
    board: Board
    people: People

    async def on_behaviour(self, messages: Sequence[Message], state: KeyedState) -> Sequence[Outgoing]:
        """Handler of clickstream.v1 and of the inbox, with each customer's journey as state: views and outcomes, each
        once.
        """
        outgoing: list[Outgoing] = []
        for message in messages:
            if not isinstance(message.event, ContentShown | ContentClicked | OrderCompleted | Identify | JourneyLinked
                              | JourneyJoined):  # fmt: skip
                continue
            key = f"{message.envelope.tenant}/{message.key}"
            if state.includes(key, message.position):
                continue
            stored = state.get(key)
            journey = Journey.model_validate_json(stored) if stored else Journey()
            turn = self._turn(journey, message)
            if turn.journey is not journey:
                state.put(key, turn.journey.model_dump_json(exclude_defaults=True).encode(), message.position)
            outgoing += _messages(turn.events, message)
        return outgoing

    def _turn(self, journey: Journey, message: Message) -> _Turn:
        event, at = message.event, _at(message)
        if isinstance(event, JourneyLinked):
            stays, goes = handed_over(journey, message.key, event.same_as, at)
            return _Turn(stays, (_joined(event.same_as, message.key, goes, (), at),))
        if isinstance(event, JourneyJoined):
            return self._join(journey, event, message, at)
        assert isinstance(event, Behaviour)
        return self._behave(journey, event, message, at)

    def _behave(self, journey: Journey, event: Behaviour, message: Message, at: datetime) -> _Turn:
        happening = _happening(event, at)
        if journey.linked_to:  # late, or from a device that knows no better
            late = Journey(happened=(happening,) if happening else ())
            return _Turn(journey, (_joined(journey.linked_to, message.key, late, (), at),) if happening else ())
        asked: tuple[JourneyLinked, ...] = ()
        if event.customer_id and event.anonymous_id and event.customer_id != event.anonymous_id:
            asked = (JourneyLinked(customer_id=event.anonymous_id, same_as=event.customer_id, occurred_at=at),)
            journey = asking(journey, event.anonymous_id)
        if happening is None:
            return _Turn(journey, asked)
        step = self._step(journey, message, happening)
        return _Turn(remembering(step.journey, happening), (*asked, *step.events))

    def _join(self, journey: Journey, event: JourneyJoined, message: Message, at: datetime) -> _Turn:
        theirs = Journey.model_validate_json(event.journey)
        if journey.linked_to and journey.linked_to not in event.via:
            return _Turn(journey, (_joined(journey.linked_to, message.key, theirs, event.via, at),))
        whole = joined(journey, theirs, event.joined_id)
        events: list[_Made] = []
        for happening in whole.happened:
            step = self._step(whole, message, happening)
            whole, events = step.journey, [*events, *step.events]
        return _Turn(settled(whole, at), events)

    def _step(self, journey: Journey, message: Message, what: Happening) -> Step:
        tenant, customer = message.envelope.tenant, message.key
        if what.kind == "shown":
            experiment = self.board.get(tenant, what.experiment_id)
            if experiment is None:
                return Step(journey)
            segment = segment_of(experiment, self.people.segments_of(tenant, customer))
            return shown(journey, customer, experiment, what.variation_id, what.at, segment)
        if what.kind == "clicked":
            return clicked(journey, customer, what.experiment_id, what.variation_id, what.at)
        running = {name: self.board.get(tenant, name) for name in journey.seen}
        promoted = {name: frozenset(found.product_ids) for name, found in running.items() if found}
        return ordered(journey, customer, what.at, frozenset(what.product_ids), promoted, what.value)


def _happening(event: Behaviour, at: datetime) -> Happening | None:
    if isinstance(event, ContentShown):
        return Happening(kind="shown", at=at, experiment_id=event.content_id, variation_id=event.variant)
    if isinstance(event, ContentClicked):
        return Happening(kind="clicked", at=at, experiment_id=event.content_id, variation_id=event.variant)
    if isinstance(event, OrderCompleted):
        products = tuple(line.product_id for line in event.products)
        return Happening(kind="ordered", at=at, product_ids=products, value=event.total)
    return None


def _joined(customer_id: str, joined_id: str, journey: Journey, via: Sequence[str], at: datetime) -> JourneyJoined:
    return JourneyJoined(
        customer_id=customer_id,
        joined_id=joined_id,
        journey=journey.model_dump_json(exclude_defaults=True),
        via=(*via, joined_id),
        occurred_at=at,
    )


def _at(message: Message) -> datetime:
    found = message.event.occurred_at if message.event else None
    return found or message.envelope.time


def _messages(events: Sequence[_Made], cause: Message) -> Iterator[Outgoing]:
    """With ids from what they are about, or from the message that they answer: a repetition is recognised."""
    tenant, place = cause.envelope.tenant, cause.position
    for number, event in enumerate(events):
        if isinstance(event, ExperimentViewed):
            event_id = f"{event.experiment_id}:{event.customer_id}:viewed"
            yield Outgoing("exposures.v1", event.customer_id, event, event_id, tenant)
        elif isinstance(event, ExperimentOutcome):
            # By the id that saw it: the same outcome may be noticed under the anonymous id and under the customer's.
            event_id = f"{event.experiment_id}:{event.viewed_as or event.customer_id}:{event.metric}"
            yield Outgoing("outcomes.v1", event.customer_id, event, event_id, tenant)
        else:
            event_id = f"journey/{place.topic}/{place.partition}/{place.offset}/{number}"
            yield Outgoing(INBOX, event.customer_id, event, event_id, tenant)
