"""Which events made a number of the profile what it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rapport.events.profiles import ProfileUpdated
from services.profiler.domain.trail import Step


@dataclass(frozen=True, slots=True)
class Reason:
    """One event. `at` is None, and `weight` 0, of an event that only its id is kept of."""

    event_id: str
    kind: str
    at: int | None
    weight: float
    """How much it moved the number, in the number's own unit; event weights for needs and affinities (a view is 1)."""


@dataclass(frozen=True, slots=True)
class Explanation:
    subject: str
    value: str
    """As the profile has it."""
    reasons: tuple[Reason, ...]
    """Newest first."""
    complete: bool
    """False when events may have counted that are older than what is kept."""


def subjects(profile: ProfileUpdated) -> dict[str, str]:
    """What can be asked about, and its value: needs, affinities, segments, and the numbers that there are."""
    found = {f"need:{need.label}": f"{need.strength:.3f}" for need in profile.needs}
    found |= {f"{each.dimension}:{each.value}": f"{each.weight:.3f}" for each in profile.affinities}
    found |= {f"segment:{each.segment_id}": each.name for each in profile.segments}
    found["session"] = profile.session.funnel_stage
    if profile.value.revenue is not None:
        found["revenue"] = f"{profile.value.revenue} {profile.value.currency or ''}".rstrip()
    if profile.sentiment is not None:
        found["sentiment"] = f"{profile.sentiment.score:.3f}"
    return found


def explain(profile: ProfileUpdated, steps: Sequence[Step], subject: str, value: str) -> Explanation:
    """`subject`: one of `subjects(profile)`; `steps` oldest first."""
    if subject.startswith("need:"):
        reasons = _of_need(profile, steps, subject)
    elif subject.startswith("segment:"):
        reasons = _moved(steps, lambda mark: ":" in mark and not mark.startswith("stage:"))
    elif subject == "session":
        began = profile.session.started_at.timestamp() * 1000
        reasons = _moved([step for step in steps if step.at >= began], lambda mark: mark == f"stage:{value}")
    else:
        reasons = _moved(steps, lambda mark: mark == subject)
    return Explanation(subject, value, tuple(reasons[::-1]), len(steps) >= profile.event_count)


def _moved(steps: Sequence[Step], counts: Callable[[str], bool]) -> list[Reason]:
    found = []
    for step in steps:
        weights = [weight for mark, weight in step.marks.items() if counts(mark)]
        if weights:
            found.append(Reason(step.event_id, step.kind, step.at, sum(weights)))
    return found


def _of_need(profile: ProfileUpdated, steps: Sequence[Step], subject: str) -> list[Reason]:
    evidence = next(need.evidence for need in profile.needs if f"need:{need.label}" == subject)
    known = {step.event_id for step in steps}
    older = [Reason(event_id, "", None, 0.0) for event_id in evidence[::-1] if event_id not in known]
    behind = [step for step in steps if step.event_id in evidence or subject in step.marks]
    return [*older, *_moved(behind, lambda mark: mark.startswith("need:"))]
