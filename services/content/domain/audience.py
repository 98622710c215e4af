"""Who copy is for: a segment, a query on profiles, or one customer; and what may be said of a customer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import cel

from rapport.events.content import ConsentChanged
from rapport.events.profiles import ProfileUpdated
from rapport.ops.errors import InvalidRequest
from services.content.domain.facts import visible
from services.content.domain.slots import PERSONAL_FIELDS

# Tried on a query before it runs, so that a wrong name is refused with the query and not with some customer.
_EXAMPLE = {
    "customer_id": "", "language": "", "segments": [], "order_count": 0, "revenue": 0.0, "days_since_seen": 0.0,
    "days_since_order": -1.0, "event_count": 0, "session_count": 0, "funnel_stage": "", "categories": [], "brands": [],
    "needs": [], "churn_risk": -1.0, "propensity_week": -1.0, "sentiment": 0.0,
}  # fmt: skip
QUERY_FIELDS = tuple(_EXAMPLE)


@dataclass(frozen=True, slots=True)
class Person:
    """What of a profile audiences ask for: a tenth of its size."""

    segments: frozenset[str]
    language: str
    told: Mapping[str, Any]
    seen_at: datetime
    ordered_at: datetime | None


@dataclass(slots=True)
class People:
    """Profiles and consents by tenant and customer, as profiles.v1 and consents.v1 have them."""

    _people: dict[str, dict[str, Person]] = field(default_factory=dict)
    _consents: dict[tuple[str, str], ConsentChanged] = field(default_factory=dict)

    def profile(self, tenant: str, customer_id: str, profile: ProfileUpdated | None) -> None:
        """The newest profile; None: erased."""
        if profile is None:
            self._people.get(tenant, {}).pop(customer_id, None)
        else:
            self._people.setdefault(tenant, {})[customer_id] = _person(profile)

    def consent(self, tenant: str, customer_id: str, consent: ConsentChanged | None) -> None:
        """The newest consent; None: withdrawn."""
        if consent is None:
            self._consents.pop((tenant, customer_id), None)
        else:
            self._consents[tenant, customer_id] = consent

    def segments_of(self, tenant: str, customer_id: str) -> frozenset[str]:
        person = self._people.get(tenant, {}).get(customer_id)
        return person.segments if person else frozenset()

    def members(self, tenant: str, *, segment: str | None, query: str | None, now: datetime) -> list[str]:
        """Customers in order of id. Raises `InvalidRequest` naming what is wrong with the query."""
        people = self._people.get(tenant, {})
        if segment is not None:
            return sorted(name for name, person in people.items() if segment in person.segments)
        program = _program(query or "true")
        return sorted(name for name, person in people.items() if program.execute(_context(name, person, now)) is True)

    def personal(self, tenant: str, customer_id: str, wanted: tuple[str, ...]) -> dict[str, str]:
        """Those of the `wanted` fields that the customer consented to and that are known.

        Raises `InvalidRequest` for a field that does not exist.
        """
        unknown = [name for name in wanted if name not in PERSONAL_FIELDS]
        if unknown:
            raise InvalidRequest(
                f"no such field: {', '.join(unknown)}", field="personalise", fix=f"one of {', '.join(PERSONAL_FIELDS)}"
            )
        consent = self._consents.get((tenant, customer_id))
        if consent is None:
            return {}
        person = self._people.get(tenant, {}).get(customer_id)
        known = {
            "first_name": consent.first_name or "",
            "top_category": next(iter(person.told["categories"]), "") if person else "",
            "top_brand": next(iter(person.told["brands"]), "") if person else "",
        }
        return {name: visible(known[name]) for name in wanted if name in consent.fields and known[name]}


def _program(query: str) -> cel.Program:
    try:
        program = cel.compile(query)
        answer = program.execute(dict(_EXAMPLE))
    except (ValueError, RuntimeError, TypeError) as error:
        raise InvalidRequest(
            f"not a query: {str(error).splitlines()[0]}",
            field="audience_query",
            fix=f"CEL over {', '.join(QUERY_FIELDS)}",
        ) from error
    if not isinstance(answer, bool):
        raise InvalidRequest("must be true or false for a customer", field="audience_query")
    return program


def _context(customer_id: str, person: Person, now: datetime) -> dict[str, Any]:
    ordered = (now - person.ordered_at).total_seconds() / 86_400 if person.ordered_at else -1.0
    return {
        **person.told, "customer_id": customer_id, "language": person.language, "segments": sorted(person.segments),
        "days_since_seen": (now - person.seen_at).total_seconds() / 86_400, "days_since_order": ordered,
    }  # fmt: skip


def _person(profile: ProfileUpdated) -> Person:
    value, outlook, propensity = profile.value, profile.outlook, profile.propensity
    named = {"category": [], "brand": []}  # type: dict[str, list[str]]
    for affinity in sorted(profile.affinities, key=lambda each: -each.weight):
        if affinity.dimension in named:
            named[affinity.dimension].append(affinity.value)
    return Person(
        frozenset(name for member in profile.segments for name in (member.name, member.segment_id)),
        profile.language or "",
        {
            "order_count": value.order_count,
            "revenue": float(value.revenue or 0),
            "event_count": profile.event_count,
            "session_count": profile.session.session_count,
            "funnel_stage": profile.session.funnel_stage,
            "categories": named["category"],
            "brands": named["brand"],
            "needs": [need.label for need in profile.needs],
            "churn_risk": outlook.churn_risk if outlook else -1.0,
            "propensity_week": propensity.week if propensity and propensity.week is not None else -1.0,
            "sentiment": profile.sentiment.score if profile.sentiment else 0.0,
        },
        profile.last_seen_at,
        value.last_order_at,
    )
