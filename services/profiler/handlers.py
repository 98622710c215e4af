"""The profiler's use cases. What they need is an argument; they know no Kafka, Redis or gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rapport.bus.messages import Message, Outgoing
from rapport.events.chat import ChatMessage
from rapport.events.profiler_inbox import CustomerSaid
from rapport.ops.errors import UnavailableError
from services.profiler.batch import Arrival, Work, by_customer
from services.profiler.domain.customer import Customer, Insight
from services.profiler.domain.profile import Picture, picture_of
from services.profiler.domain.rules import Rules
from services.profiler.errands import INBOX, leave, outgoing
from services.profiler.observers import Observer, Touched
from services.profiler.ports import CustomerStates, Edition, Key, Moods, Ports, Sealed, TextEncoder

# Customers between two looks at the event loop: some milliseconds of work.
_YIELD_EVERY = 16


async def profile_behaviour(
    messages: Sequence[Message], states: CustomerStates, ports: Ports, rules: Rules
) -> list[Outgoing]:
    """Takes a batch of behaviour into the profiles: one new profile for each customer whom it changed.

    `states`: of the batch's partition. All texts of the batch are embedded in one call. Raises `RetryableError`, with
    no state changed, when the worker or Redis does not answer.
    """
    works = by_customer(messages, states, ports.catalogue)
    insight = await _understand(works.values(), ports.encoder, ports.moods)
    if insight is not None:
        await _found_anew(_customers(works.values()), insight.encoder, ports.encoder)
    await _prepare(works.values(), insight, ports.observers)
    told = await _advance(works, insight, ports, rules)
    found = _errands(works, states)
    _look(ports.observers, [work.customer for work in told.values()])
    touched = [Touched(*key, work.customer, work.last, bool(work.seen)) for key, work in told.items()]
    found += [event for observer in ports.observers for event in observer.finish(touched)]
    pictures = {key: _picture(key, work.customer, ports.observers, rules) for key, work in told.items()}
    await ports.copies.put(pictures)
    # After the copies, so that a batch that is tried again finds the states as they were.
    for key, work in works.items():
        if work.changed:
            states.save(key, work.customer, work.last.position)
    return [*(_announce(key, picture, works[key].last) for key, picture in pictures.items()), *found]


def _customers(works: Iterable[Work]) -> list[Customer]:
    """All whose needs the batch may move, those included that come to be part of another."""
    arrivals = [step.customer for work in works for step in work.steps if isinstance(step, Arrival)]
    return [*(work.customer for work in works), *arrivals]


def _errands(works: Mapping[Key, Work], states: CustomerStates) -> list[Outgoing]:
    found = []
    for (_, customer_id), work in works.items():
        work.customer, errand = leave(customer_id, work.customer, states)
        errands = [*work.errands, *([errand] if errand else ())]
        found += outgoing(errands, work.last)
    return found


async def _prepare(works: Iterable[Work], insight: Insight | None, observers: Sequence[Observer]) -> None:
    if observers:
        batch = [(work.customer, seen) for work in works for seen in work.seen]
        for observer in observers:
            await observer.prepare(batch, insight)


async def _advance(works: Mapping[Key, Work], insight: Insight | None, ports: Ports, rules: Rules) -> dict[Key, Work]:
    """Those of `works` that there is something to tell of."""
    told = {}
    for number, (key, work) in enumerate(works.items()):
        if work.advance(insight, rules, ports.observers):
            told[key] = work
        if number % _YIELD_EVERY == _YIELD_EVERY - 1:
            await asyncio.sleep(0)
    return told


def _look(observers: Sequence[Observer], customers: Sequence[Customer]) -> None:
    for observer in observers:
        observer.look(customers)


def _picture(key: Key, customer: Customer, observers: Sequence[Observer], rules: Rules) -> Picture:
    more: dict[str, Any] = {}
    inputs: dict[str, bytes] = {}
    for observer in observers:
        more |= observer.describe(customer)
        inputs |= observer.inputs(customer)
    return picture_of(key[1], customer, rules, more, inputs)


async def hear_chat(messages: Sequence[Message]) -> list[Outgoing]:
    """Sends what known customers say in chats to where their profile is kept. What agents say is not theirs."""
    return [
        Outgoing(
            topic=INBOX,
            key=event.customer_id,
            event=CustomerSaid(
                customer_id=event.customer_id,
                conversation_id=event.conversation_id,
                message_id=event.message_id,
                text=event.text,
                language=event.language,
                occurred_at=event.occurred_at or message.envelope.time,
            ),
            event_id=f"chat/{event.message_id}",
            tenant=message.envelope.tenant,
            traceparent=message.envelope.traceparent,
        )
        for message in messages
        if isinstance(event := message.event, ChatMessage) and event.role == "customer" and event.customer_id
    ]


async def serve_again(pages: Iterable[Mapping[Key, Sealed]], ports: Ports, rules: Rules) -> int:
    """Writes the serving copies that are missing or old, and says how many.

    For a Redis that was lost, and for a new encoder: who is not seen for long is there in its space as well. A customer
    whose copy is there is not even opened.
    """
    written = 0
    for page in pages:
        encoder = await ports.encoder.current()
        wanted = {key: Edition(each.revision, encoder if each.encoder else "") for key, each in page.items()}
        opened = {key: page[key].open() for key in await ports.copies.behind(wanted)}
        await _found_anew(opened.values(), encoder, ports.encoder)
        _look(ports.observers, list(opened.values()))
        pictures = {key: _picture(key, customer, ports.observers, rules) for key, customer in opened.items()}
        written += await ports.copies.restore(pictures)
    return written


async def _understand(works: Iterable[Work], encoder: TextEncoder, moods: Moods) -> Insight | None:
    works = list(works)
    seen = [observation for work in works for observation in work.seen]
    merging = any(isinstance(step, Arrival) for work in works for step in work.steps)
    # Ordered and unique, so that the same batch asks the same question.
    texts = dict.fromkeys(interest.text for observation in seen for interest in observation.interests)
    reviews = dict.fromkeys(observation.review for observation in seen if observation.review is not None)
    if not (texts or reviews or merging):
        return None
    encoded = await encoder.encode(texts)
    scores: Mapping[str, float] = await moods.score(reviews) if reviews else {}
    return Insight(encoded.vectors, encoded.background, encoded.model, scores)


async def _found_anew(customers: Iterable[Customer], model: str, encoder: TextEncoder) -> None:
    """Needs with vectors of another encoder than `model`, the current one, are embedded again from their texts."""
    spectra = [customer.spectrum for customer in customers]
    stale = [spectrum for spectrum in spectra if spectrum.needs and spectrum.encoder != model]
    if not stale:
        return
    encoded = await encoder.encode(dict.fromkeys(need.text for spectrum in stale for need in spectrum.needs))
    if encoded.model != model:
        raise UnavailableError(f"the encoder changed from {model} to {encoded.model} meanwhile")
    for spectrum in stale:
        spectrum.found_anew(encoded.model, [encoded.vectors[need.text] for need in spectrum.needs])


def _announce(key: Key, picture: Picture, last: Message) -> Outgoing:
    position = last.position
    return Outgoing(
        topic="profiles.v1",
        key=key[1],
        event=picture.profile,
        # Named by the input, so that a batch handled twice says the same thing twice instead of two things.
        event_id=f"profile/{position.topic}/{position.partition}/{position.offset}",
        tenant=key[0],
        traceparent=last.envelope.traceparent,
        body=picture.body,
    )
