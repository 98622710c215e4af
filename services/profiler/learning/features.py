"""What propensity looks at: the session, the customer's history, and what they are after (encoder features)."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt

from services.profiler.domain.customer import Customer
from services.profiler.domain.observation import Stage

_DAY_MS, _MINUTE_MS = 86_400_000.0, 60_000.0
BEHAVIOUR = (
    "session_events", "session_minutes", "searches", "looks", "adds", "orders_in_session",
    "stage_consider", "stage_cart", "stage_checkout", "stage_purchase", "known", "sessions", "events", "tenure_days",
    "orders", "days_since_order", "revenue", "needs", "focus", "mood", "hour_sin", "hour_cos",
)  # fmt: skip
"""Counts, money and times as log(1 + x)."""
# Encoder features: the strongest need through a fixed random projection, which keeps distances (Johnson and
# Lindenstrauss 1984) and lets 16 weights learn from hundreds of examples where 384 would take thousands.
PROJECTED = 16
DIMENSIONS = len(BEHAVIOUR) + PROJECTED
_SEED = 7


def features(customer: Customer) -> list[float]:
    """[DIMENSIONS], as of the customer's newest event. Some microseconds."""
    session, visit, value = customer.session, customer.learned.visit, customer.value
    now, log = customer.last_seen_at, math.log1p
    masses = [need.mass for need in customer.spectrum.needs]
    angle = (now % _DAY_MS) / _DAY_MS * 2 * math.pi
    behaviour = [
        log(session.event_count),
        log(max(0, session.last_at - session.started_at) / _MINUTE_MS),
        log(visit.searches),
        log(visit.looks),
        log(visit.adds),
        log(visit.orders),
        *(float(session.stage == stage) for stage in (Stage.CONSIDER, Stage.CART, Stage.CHECKOUT, Stage.PURCHASE)),
        float(bool(customer.anonymous)),
        log(session.number),
        log(customer.event_count),
        log(max(0, now - customer.first_seen_at) / _DAY_MS),
        log(value.order_count),
        log(max(0, now - (value.last_order_at or now)) / _DAY_MS),
        log(max(0.0, float(value.revenue))),
        log(len(masses)),
        max(masses) / sum(masses) if masses else 0.0,
        customer.speech.mood or 0.0,
        math.sin(angle),
        math.cos(angle),
    ]
    return [*behaviour, *_interest(customer)]


def _interest(customer: Customer) -> list[float]:
    needs = customer.spectrum.needs
    if not needs:
        return [0.0] * PROJECTED
    strongest = max(needs, key=lambda need: need.mass)
    found: list[float] = (_projection(len(strongest.vector)) @ strongest.vector).tolist()
    return found


@cache
def _projection(dimensions: int) -> npt.NDArray[np.float32]:
    """[PROJECTED, d] of plus and minus 1/√PROJECTED (Achlioptas 2003); the same in every process."""
    signs = np.random.default_rng(_SEED).integers(0, 2, (PROJECTED, dimensions)) * 2 - 1
    return np.asarray(signs / math.sqrt(PROJECTED), dtype=np.float32)
