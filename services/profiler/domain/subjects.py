"""What can be asked about a profile, and its value."""

from __future__ import annotations

from collections.abc import Iterator

from rapport.events.profiles import Habits, ProfileUpdated

OUTLOOK = ("alive", "churn_risk", "expected_orders", "expected_value")
"""Subjects that are fields of the profile's outlook."""


def subjects(profile: ProfileUpdated) -> dict[str, str]:
    """By name, as `ExplainProfile` takes it, every number and segment that this profile has."""
    return dict([*_interests(profile), *_counts(profile), *_habits(profile.habits), *_learned(profile)])


def _interests(profile: ProfileUpdated) -> Iterator[tuple[str, str]]:
    for need in profile.needs:
        yield f"need:{need.label}", _number(need.strength)
    for each in profile.affinities:
        yield f"{each.dimension}:{each.value}", _number(each.weight)


def _counts(profile: ProfileUpdated) -> Iterator[tuple[str, str]]:
    yield "session", profile.session.funnel_stage
    yield "sessions", str(profile.session.session_count)
    yield "events", str(profile.event_count)
    yield "orders", str(profile.value.order_count)
    if profile.value.revenue is not None:
        yield "revenue", f"{profile.value.revenue} {profile.value.currency or ''}".rstrip()
    if profile.sentiment is not None:
        yield "sentiment", _number(profile.sentiment.score)
    if profile.language:
        yield "language", profile.language


def _habits(habits: Habits) -> Iterator[tuple[str, str]]:
    for prefix, shares in (("hour", habits.hours), ("device", habits.devices)):
        for name, share in shares.items():
            yield f"{prefix}:{name}", _number(share)
    for stage, count in habits.exits.items():
        yield f"exit:{stage}", str(count)
    for name in ("returns_rate", "discount_sensitivity"):
        if (rate := getattr(habits, name)) is not None:
            yield name, _number(rate)
    for name in ("late_events", "too_late_events"):
        yield name, str(getattr(habits, name))


def _learned(profile: ProfileUpdated) -> Iterator[tuple[str, str]]:
    for segment in profile.segments:
        yield f"segment:{segment.segment_id}", segment.name
    for aspect in profile.aspects:
        yield f"aspect:{aspect.aspect}", _number(aspect.score)
    if profile.propensity is not None:
        for name in ("session", "week"):
            if (chance := getattr(profile.propensity, name)) is not None:
                yield f"propensity:{name}", _number(chance)
    if profile.outlook is not None:
        for name in OUTLOOK:
            yield name, _number(getattr(profile.outlook, name))


def _number(value: float) -> str:
    return f"{value:.3f}"
