"""One person under several ids: what is known under one of them moves to the other, once.

An id that turned out to be somebody else's is *handed over*: it keeps the address of the other (`merged_into`) and
nothing else. Whatever still comes under it, late or from a device that knows no better, is handed on in turn. What
arrives at the other end is *absorbed*: sums, maxima and unions, so that it hardly matters in which order things come.
"""

from __future__ import annotations

from dataclasses import replace

from services.profiler.domain.background import Background
from services.profiler.domain.customer import MAX_AFFINITIES, MAX_ANONYMOUS, MAX_PURCHASED, MAX_RECENT, Customer
from services.profiler.domain.decay import Tally
from services.profiler.domain.recent import DUPLICATE_WINDOW, touch
from services.profiler.domain.rules import Rules
from services.profiler.domain.session import Session
from services.profiler.domain.trail import walk

MAX_ABSORBED = 16


def link(customer: Customer, same_as: str, at: int) -> bool:
    """Notes who `customer` is by now; False when that is known, or something newer.

    An id that is linked to two customers, one after the other (a shared device), is the later one's from then on: what
    has gone to the first one stays there, and the two are not taken for one person.
    """
    if customer.merged_into == same_as or (customer.merged_into and at < customer.merged_at):
        return False
    customer.merged_into, customer.merged_at = same_as, at
    customer.revision += 1
    customer.linked += 1
    return True


def hand_over(customer: Customer) -> tuple[Customer, Customer]:
    """What is to go to `customer.merged_into`, and what stays.

    The number of events stays behind as a change: a revision never goes back, and no event is counted twice. Of all
    times that of the link stays, and none of an event: in which of several batches those came makes no difference.
    """
    learned = replace(customer.learned, news=[])
    going = replace(customer, merged_into="", merged_at=0, revision=customer.event_count, linked=0, learned=learned)
    staying = Customer.nobody(customer.merged_at)
    staying.revision = staying.linked = customer.revision
    staying.merged_into, staying.merged_at = customer.merged_into, customer.merged_at
    staying.learned = customer.learned.left_behind(customer.merged_into, customer.last_seen_at)
    staying.fingerprints, staying.last_event_id = customer.fingerprints, customer.last_event_id
    return going, staying


def has_something(customer: Customer) -> bool:
    """Whether there is anything to hand over."""
    return customer.event_count > 0 or bool(customer.absorbed)


def absorb(ours: Customer, theirs: Customer, their_id: str, background: Background, rules: Rules) -> None:
    """Makes all that is known of `theirs` part of `ours`. The needs' vectors must be of one encoder."""
    first = not ours.event_count
    touch(ours.absorbed, their_id, theirs.last_seen_at, MAX_ABSORBED)
    for id_, at in theirs.absorbed.items():
        touch(ours.absorbed, id_, at, MAX_ABSORBED)
    # Its events count as ours. One change more, so that an empty one is told as well.
    ours.revision += theirs.event_count + 1
    ours.linked += 1
    if not ours.last_event_id or theirs.last_seen_at > ours.last_seen_at:
        ours.last_event_id = theirs.last_event_id or ours.last_event_id
    ours.session = _one_session(ours, theirs, rules)
    ours.first_seen_at = theirs.first_seen_at if first else min(ours.first_seen_at, theirs.first_seen_at)
    ours.last_seen_at = theirs.last_seen_at if first else max(ours.last_seen_at, theirs.last_seen_at)
    ours.spectrum.join(theirs.spectrum, background, rules)
    for dimension, tally in theirs.affinities.items():
        ours.affinities.setdefault(dimension, Tally()).join(tally, rules.affinity_half_life_ms, MAX_AFFINITIES)
    ours.value.join(theirs.value)
    ours.speech.join(theirs.speech)
    ours.habits.join(theirs.habits, rules)
    for mine, other, limit in (
        (ours.looked_at, theirs.looked_at, MAX_RECENT),
        (ours.bought, theirs.bought, MAX_PURCHASED),
        (ours.anonymous, theirs.anonymous, MAX_ANONYMOUS),
    ):
        for name, at in sorted(other.items(), key=lambda pair: pair[1]):
            touch(mine, name, at, limit)
    # Ours last: they are the ones that may still be repeated under our key.
    ours.fingerprints = [*theirs.fingerprints, *ours.fingerprints][-DUPLICATE_WINDOW:]
    ours.trail = walk(ours.trail, theirs.trail)
    ours.learned = ours.learned.merged_with(theirs.learned, their_id, ours.last_seen_at)


def _one_session(ours: Customer, theirs: Customer, rules: Rules) -> Session:
    """The newest session of both; one, where the two lie within the gap of each other: logging in ends no visit."""
    mine, other = ours.session, theirs.session
    if not (mine.number and other.number):
        return mine if mine.number else other
    early, late = sorted((mine, other), key=lambda session: (session.started_at, session.session_id))
    if late.started_at > early.last_at + rules.session_gap_ms:
        (ours if early is mine else theirs).habits.leave(early)
        newest = late if late.last_at >= early.last_at else early
        return replace(newest, number=mine.number + other.number)
    return replace(
        early,
        last_at=max(early.last_at, late.last_at),
        event_count=early.event_count + late.event_count,
        stage=max(early.stage, late.stage),
        number=mine.number + other.number - 1,
    )
