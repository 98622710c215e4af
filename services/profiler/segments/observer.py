"""Puts customers into segments as they go, and tells who entered and who left."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from rapport.bus.messages import Outgoing
from rapport.events.profiles import SegmentChanged, SegmentMembership
from services.profiler.domain.customer import Customer, Insight
from services.profiler.domain.explanation import Breakdown
from services.profiler.domain.learned import Family, Membership, Moved
from services.profiler.domain.membership import Change, Thresholds, decide
from services.profiler.domain.observation import Observation
from services.profiler.domain.rules import Rules
from services.profiler.domain.times import utc
from services.profiler.observers import Observer, Served, Touched
from services.profiler.segments.contributions import INPUTS, breakdown
from services.profiler.segments.features import type_features, vector_for
from services.profiler.segments.model import LinearSegments
from services.profiler.segments.reasons import reason

# A customer is placed anew at every so manieth event: at once, and a quarter of the work. Counted by the customer's own
# events, so that it does not depend on how the log was cut into batches.
_EVERY = 4


class SegmentObserver(Observer):
    """Holds at most one model a family; without one the family is not spoken of."""

    def __init__(self, rules: Rules, thresholds: Thresholds) -> None:
        self._rules, self._thresholds = rules, thresholds
        self._models: dict[Family, LinearSegments] = {}

    def use(self, family: Family, model: LinearSegments | None) -> None:
        """From the next event on. None: nobody is placed in this family any more, who is stays."""
        if model is None:
            self._models.pop(family, None)
        else:
            self._models[family] = model

    def see(self, customer: Customer, seen: Observation, insight: Insight | None) -> None:
        del insight
        if customer.revision % _EVERY and seen.order is None:
            return
        for model in self._models.values():
            self._place(customer, model, seen.at)

    def age(self, customer: Customer) -> None:
        for model in self._models.values():
            self._place(customer, model, customer.now)

    def due(self, customers: Sequence[Customer], at: int) -> Collection[int]:
        """Who would change a segment: types change with time, and both families with a newly fitted model."""
        return {place for model in self._models.values() for place in self._moving(customers, model, at)}

    def _moving(self, customers: Sequence[Customer], model: LinearSegments, at: int) -> Iterator[int]:
        vectors = [vector_for(model, each, self._rules, max(at, each.now)) for each in customers]
        places = [place for place, vector in enumerate(vectors) if vector is not None]
        if not places:
            return
        shares = model.all_probabilities(np.stack([vector for vector in vectors if vector is not None]))
        ids = [segment.id for segment in model.segments]
        for place, row in zip(places, shares.tolist(), strict=True):
            if self._decided(customers[place], model, dict(zip(ids, row, strict=True)), at)[1]:
                yield place

    def finish(self, touched: Sequence[Touched]) -> Sequence[Outgoing]:
        found: list[Outgoing] = []
        for each in touched:
            news, each.customer.learned.news = each.customer.learned.news, []
            position = each.last.position
            for number, moved in enumerate(news):
                event_id = f"segment/{position.topic}/{position.partition}/{position.offset}/{number}"
                found.append(
                    Outgoing(
                        topic="segments.v1",
                        key=each.customer_id,
                        event=_event(each.customer_id, moved),
                        event_id=event_id,
                        tenant=each.tenant,
                        traceparent=each.last.envelope.traceparent,
                    )
                )
        return found

    def describe(self, customer: Customer) -> Mapping[str, Any]:
        memberships = customer.learned.memberships
        return {"segments": tuple(_told(family, memberships[family]) for family in sorted(memberships))}

    def inputs(self, customer: Customer) -> Mapping[str, bytes]:
        return {INPUTS: type_features(customer, customer.now).tobytes()} if "type" in self._models else {}

    def explain(self, subject: str, served: Served) -> Breakdown | None:
        kind, _, segment_id = subject.partition(":")
        if kind != "segment":
            return None
        family = next(each.family for each in served.profile.segments if each.segment_id == segment_id)
        model = self._models.get(family)
        return None if model is None else breakdown(model, segment_id, served)

    def _place(self, customer: Customer, model: LinearSegments, at: int) -> None:
        vector = vector_for(model, customer, self._rules, customer.now)
        if vector is None:
            return
        learned, family = customer.learned, model.family
        membership, changes = self._decided(customer, model, model.probabilities(vector), at)
        if membership is None:
            learned.memberships.pop(family, None)
        else:
            learned.memberships[family] = membership
        for change in changes:
            why = reason(change, customer, model)
            learned.news.append(
                Moved(family, change.segment, change.name, change.change, why, change.confidence, at, model.version)
            )

    def _decided(
        self, customer: Customer, model: LinearSegments, shares: Mapping[str, float], at: int
    ) -> tuple[Membership | None, list[Change]]:
        now = customer.learned.memberships.get(model.family)
        return decide(now, shares, model.names, customer.event_count, at, self._thresholds)


def _event(customer_id: str, moved: Moved) -> SegmentChanged:
    return SegmentChanged(
        occurred_at=utc(moved.at),
        customer_id=customer_id,
        segment=moved.name,
        segment_id=moved.segment,
        family=moved.family,
        change=moved.change,
        reason=moved.reason,
        confidence=moved.confidence,
        model_version=moved.model or None,
    )


def _told(family: Family, membership: Membership) -> SegmentMembership:
    return SegmentMembership(
        segment_id=membership.segment,
        name=membership.name,
        family=family,
        confidence=membership.confidence,
        since=utc(membership.since),
    )
