"""ProfileService over gRPC: decode, call the handler, encode."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from rapport.contracts.profiler.v1 import profile_service_pb2 as wire
from rapport.contracts.profiler.v1.profile_service_pb2_grpc import (
    ProfileServiceServicer,
    add_ProfileServiceServicer_to_server,
)
from rapport.events.profiles import Habits, ProfileUpdated
from rapport.serving.server import Servicing
from services.profiler.answers import explain_profile, find_profile
from services.profiler.domain.explanation import Breakdown, Explanation
from services.profiler.domain.rules import Rules
from services.profiler.domain.times import utc
from services.profiler.observers import Observer
from services.profiler.ports import ServingCopies
from services.profiler.wire_learned import add_learned

Context = grpc.aio.ServicerContext[Any, Any]
SERVICE = wire.DESCRIPTOR.services_by_name["ProfileService"].full_name


class ProfileApi(ProfileServiceServicer):
    """Answers from the serving copies. `tenant` is meant when a caller names none."""

    def __init__(self, copies: ServingCopies, tenant: str, observers: Sequence[Observer], rules: Rules) -> None:
        """`observers`: the learned parts, which know their models."""
        self._copies, self._tenant = copies, tenant
        self._observers, self._rules = observers, rules

    async def GetProfile(self, request: wire.GetProfileRequest, context: Context) -> wire.GetProfileResponse:
        tenant = request.tenant or self._tenant
        profile = await find_profile((tenant, request.customer_id), self._copies)
        return wire.GetProfileResponse(profile=to_wire(profile, tenant))

    async def ExplainProfile(
        self, request: wire.ExplainProfileRequest, context: Context
    ) -> wire.ExplainProfileResponse:
        key = (request.tenant or self._tenant, request.customer_id)
        customer_id, found = await explain_profile(key, request.subject, self._copies, self._observers, self._rules)
        return wire.ExplainProfileResponse(customer_id=customer_id, explanations=[_explanation(each) for each in found])


def servicing(api: ProfileApi) -> Servicing:
    return add_ProfileServiceServicer_to_server, api, SERVICE


def to_wire(profile: ProfileUpdated, tenant: str) -> wire.Profile:
    """The profile as the API speaks it."""
    value, mood = profile.value, profile.sentiment
    found = wire.Profile(
        customer_id=profile.customer_id,
        tenant=tenant,
        revision=profile.revision,
        updated_at=_time(profile.occurred_at),
        first_seen_at=_time(profile.first_seen_at),
        last_seen_at=_time(profile.last_seen_at),
        event_count=profile.event_count,
        needs=[
            wire.Need(
                label=need.label,
                strength=need.strength,
                half_life_hours=need.half_life_hours,
                evidence=need.evidence,
                updated_at=_time(need.updated_at),
            )
            for need in profile.needs
        ],
        session=wire.Session(
            session_id=profile.session.session_id,
            started_at=_time(profile.session.started_at),
            last_event_at=_time(profile.session.last_event_at),
            event_count=profile.session.event_count,
            funnel_stage=profile.session.funnel_stage,
            session_count=profile.session.session_count,
        ),
        value=wire.Value(
            last_order_at=_time(value.last_order_at),
            order_count=value.order_count,
            revenue="" if value.revenue is None else str(value.revenue),
            currency=value.currency or "",
        ),
        affinities=[
            wire.Affinity(dimension=affinity.dimension, value=affinity.value, weight=affinity.weight)
            for affinity in profile.affinities
        ],
        language=profile.language or "",
        sentiment=mood.score if mood else 0.0,
        sentiment_count=mood.count if mood else 0,
        recent_product_ids=profile.recent_product_ids,
        purchased_product_ids=profile.purchased_product_ids,
        habits=_habits(profile.habits),
        merged_ids=profile.merged_ids,
    )
    add_learned(found, profile)
    return found


def _habits(habits: Habits) -> wire.Habits:
    return wire.Habits(
        hours=habits.hours,
        devices=habits.devices,
        exits=habits.exits,
        returns_rate=habits.returns_rate,
        discount_sensitivity=habits.discount_sensitivity,
        late_events=habits.late_events,
        too_late_events=habits.too_late_events,
    )


def _explanation(explanation: Explanation) -> wire.Explanation:
    reasons = [
        wire.Reason(
            event_id=reason.event_id,
            kind=reason.kind,
            occurred_at=None if reason.at is None else _time(utc(reason.at)),
            weight=reason.weight,
        )
        for reason in explanation.reasons
    ]
    return wire.Explanation(
        subject=explanation.subject,
        value=explanation.value,
        reasons=reasons,
        complete=explanation.complete,
        breakdown=None if explanation.breakdown is None else _breakdown(explanation.breakdown),
    )


def _breakdown(breakdown: Breakdown) -> wire.Breakdown:
    parts = [
        wire.Contribution(feature=part.feature, value=part.value, amount=part.amount)
        for part in breakdown.contributions
    ]
    return wire.Breakdown(unit=breakdown.unit, base=breakdown.base, contributions=parts, model=breakdown.model)


def _time(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
