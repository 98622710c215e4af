"""The learned parts of a profile, as the API speaks them."""

from __future__ import annotations

from rapport.contracts.profiler.v1 import profile_service_pb2 as wire
from rapport.events.profiles import ProfileUpdated


def add_learned(found: wire.Profile, profile: ProfileUpdated) -> None:
    """Adds to `found` what is learned of the customer; what is not, stays absent."""
    for segment in profile.segments:
        told = found.segments.add(
            segment_id=segment.segment_id, name=segment.name, family=segment.family, confidence=segment.confidence
        )
        told.since.FromDatetime(segment.since)
    if profile.propensity is not None:
        propensity = profile.propensity
        found.propensity.CopyFrom(
            wire.Propensity(session=propensity.session, week=propensity.week, model=propensity.model or "")
        )
    if profile.outlook is not None:
        found.outlook.CopyFrom(
            wire.Outlook(**profile.outlook.model_dump(include=set(type(profile.outlook).model_fields)))
        )
    for aspect in profile.aspects:
        found.aspects.add(aspect=aspect.aspect, score=aspect.score, count=aspect.count)
