"""The profile that others see, made of what is kept of a customer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from rapport.events import profiles
from rapport.events.profiles import Affinity, ProfileUpdated, Sentiment
from services.profiler.domain.background import Vector
from services.profiler.domain.customer import DIMENSIONS, Customer
from services.profiler.domain.needs import Need
from services.profiler.domain.observation import Stage
from services.profiler.domain.recent import newest_first
from services.profiler.domain.rules import HOUR_MS, Rules
from services.profiler.domain.session import Session
from services.profiler.domain.value import Value


@dataclass(frozen=True, slots=True)
class Picture:
    """A profile and the vectors that go with it."""

    profile: ProfileUpdated
    encoder: str
    """id@revision; "" without vectors."""
    needs: Vector | None
    """[k, d], unit length, in the order of the profile's needs."""
    mean: Vector | None
    """[d], unit length: the long-run mean."""


def picture_of(customer_id: str, customer: Customer, rules: Rules) -> Picture:
    """What others see, as of the newest event: the same log gives the same bytes."""
    spectrum, speech = customer.spectrum, customer.speech
    ranked = spectrum.ranked(rules.need_half_life_ms)
    profile = ProfileUpdated(
        customer_id=customer_id,
        occurred_at=_time(customer.last_seen_at),
        revision=customer.revision,
        first_seen_at=_time(customer.first_seen_at),
        last_seen_at=_time(customer.last_seen_at),
        event_count=customer.revision,
        needs=tuple(_need(need, strength, rules) for need, strength in ranked),
        encoder=spectrum.encoder or None,
        session=_session(customer.session),
        value=_value(customer.value),
        affinities=_affinities(customer),
        language=speech.language,
        sentiment=None if speech.mood is None else Sentiment(score=speech.mood, count=len(speech.moods)),
        recent_product_ids=newest_first(customer.looked_at),
        purchased_product_ids=newest_first(customer.bought),
        trigger_event_id=customer.last_event_id,
    )
    vectors = np.stack([need.vector for need, _ in ranked]) if ranked else None
    return Picture(profile, spectrum.encoder, vectors, _unit(spectrum.mean))


def _need(need: Need, strength: float, rules: Rules) -> profiles.Need:
    return profiles.Need(
        label=need.label,
        strength=strength,
        half_life_hours=rules.need_half_life_ms / HOUR_MS,
        evidence=tuple(need.evidence),
        updated_at=_time(need.at),
    )


def _session(session: Session) -> profiles.Session:
    return profiles.Session(
        session_id=session.session_id,
        started_at=_time(session.started_at),
        last_event_at=_time(session.last_at),
        event_count=session.event_count,
        funnel_stage=Stage(session.stage).name.lower(),  # the stages' names are the contract's
        session_count=session.number,
    )


def _value(value: Value) -> profiles.Value:
    return profiles.Value(
        last_order_at=None if value.last_order_at is None else _time(value.last_order_at),
        order_count=value.order_count,
        revenue=value.revenue if value.currency else None,
        currency=value.currency,
    )


def _affinities(customer: Customer) -> tuple[Affinity, ...]:
    return tuple(
        Affinity(dimension=dimension, value=name, weight=share)
        for dimension in DIMENSIONS
        if dimension in customer.affinities
        for name, share in customer.affinities[dimension].shares()
    )


def _unit(mean: Vector | None) -> Vector | None:
    # A mean of opposite vectors can vanish; then it says nothing.
    length = 0.0 if mean is None else float(np.linalg.norm(mean))
    return None if mean is None or length == 0 else mean / np.float32(length)


def _time(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)
