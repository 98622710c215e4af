"""The profiler's use cases. What they need is an argument; they know no Kafka, Redis or gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rapport.bus.messages import Message, Outgoing
from rapport.events.behaviour import Behaviour
from rapport.events.profiles import ProfileUpdated
from rapport.ops.errors import NotFound, UnavailableError
from services.profiler.domain.customer import Customer, Insight
from services.profiler.domain.observation import Observation
from services.profiler.domain.profile import Picture, picture_of
from services.profiler.domain.reading import observe
from services.profiler.domain.rules import MINUTE_MS, Rules
from services.profiler.ports import Catalogue, CustomerStates, Key, Moods, Ports, ServingCopies, TextEncoder

# A clock may run ahead by this much. A time farther in the future is taken for the moment of arrival: believed, it
# would fade everything else away.
_CLOCK_TOLERANCE_MS = 5 * MINUTE_MS
# Customers between two looks at the event loop: some milliseconds of work.
_YIELD_EVERY = 16


@dataclass(slots=True)
class _Work:
    """One customer's part of a batch."""

    customer: Customer
    last: Message
    seen: list[Observation] = field(default_factory=list)
    repeated: bool = False
    """The state has some of the messages already, but what they led to may not have been published: crashed between."""
    changed: bool = False

    def advance(self, insight: Insight | None, rules: Rules) -> bool:
        """Applies the events in order; False when there is nothing to tell of them."""
        for seen in self.seen:
            self.changed = self.customer.apply(seen, insight, rules) or self.changed
        return self.changed or self.repeated


async def profile_behaviour(
    messages: Sequence[Message], states: CustomerStates, ports: Ports, rules: Rules
) -> list[Outgoing]:
    """Takes a batch of behaviour into the profiles: one new profile for each customer whom it changed.

    `states`: of the batch's partition. All texts of the batch are embedded in one call. Raises `RetryableError`, with
    no state changed, when the worker or Redis does not answer.
    """
    works = _by_customer(messages, states, ports.catalogue)
    insight = await _understand(works.values(), ports.encoder, ports.moods)
    if insight is not None:
        await _found_anew([work.customer for work in works.values()], insight.encoder, ports.encoder)
    pictures: dict[Key, Picture] = {}
    for number, (key, work) in enumerate(works.items()):
        if work.advance(insight, rules):
            pictures[key] = picture_of(key[1], work.customer, rules)
        if number % _YIELD_EVERY == _YIELD_EVERY - 1:
            await asyncio.sleep(0)
    await ports.copies.put(pictures)
    # After the copies, so that a batch that is tried again finds the states as they were.
    for key, work in works.items():
        if work.changed:
            states.save(key, work.customer, work.last.position)
    return [_announce(key, picture, works[key].last) for key, picture in pictures.items()]


async def find_profile(key: Key, copies: ServingCopies) -> ProfileUpdated:
    """The customer's profile. Raises `NotFound` when nothing was seen of them, `UnavailableError` without Redis."""
    found = await copies.find(key)
    if found is None:
        raise NotFound(f"nothing was seen of customer {key[1]!r}", field="customer_id")
    return ProfileUpdated.model_validate_json(found)


async def serve_again(pages: Iterable[Mapping[Key, Customer]], ports: Ports, rules: Rules) -> int:
    """Writes the serving copies that are missing or old, and says how many.

    For a Redis that was lost, and for a new encoder: who is not seen for long is there in its space as well.
    """
    written = 0
    for page in pages:
        await _found_anew(page.values(), await ports.encoder.current(), ports.encoder)
        pictures = {key: picture_of(key[1], customer, rules) for key, customer in page.items()}
        written += await ports.copies.restore(pictures)
    return written


def _by_customer(messages: Sequence[Message], states: CustomerStates, catalogue: Catalogue) -> dict[Key, _Work]:
    works: dict[Key, _Work] = {}
    for message in messages:
        if not isinstance(message.event, Behaviour):
            continue
        key = (message.envelope.tenant, message.key)
        seen = _observe(message, message.event, catalogue)
        if key not in works:
            works[key] = _Work(states.load(key) or Customer.begun_by(seen), message)
        work = works[key]
        work.last = message
        if states.includes(key, message.position):
            work.repeated = True
        else:
            work.seen.append(seen)
    return works


def _observe(message: Message, event: Behaviour, catalogue: Catalogue) -> Observation:
    envelope = message.envelope
    happened = int((event.occurred_at or envelope.time).timestamp() * 1000)
    arrived = message.timestamp_ms
    at = happened if happened <= arrived + _CLOCK_TOLERANCE_MS else arrived
    return observe(event, envelope.id, envelope.source, at, lambda id_: catalogue.product(envelope.tenant, id_))


async def _understand(works: Iterable[_Work], encoder: TextEncoder, moods: Moods) -> Insight | None:
    seen = [observation for work in works for observation in work.seen]
    # Ordered and unique, so that the same batch asks the same question.
    texts = dict.fromkeys(interest.text for observation in seen for interest in observation.interests)
    reviews = dict.fromkeys(observation.review for observation in seen if observation.review is not None)
    if not texts:
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
    )
