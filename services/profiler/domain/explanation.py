"""Which events made a number of the profile what it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rapport.events.behaviour import OrderCompleted
from rapport.events.profiles import ProfileUpdated
from services.profiler.domain.observation import Stage
from services.profiler.domain.rules import HOUR_MS
from services.profiler.domain.subjects import OUTLOOK
from services.profiler.domain.trail import Step

_HOURS = 24
_STAGE = "stage:"
_ORDER = OrderCompleted.event_name
# Subjects whose events carry another mark than their own name.
_MARKED = {
    "returns_rate": ("returned", "bought"),
    "discount_sensitivity": ("reduced", "bought"),
    "late_events": ("late",),
    "too_late_events": ("too_late",),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One event. `at` is None, and `weight` 0, of an event that only its id is kept of."""

    event_id: str
    kind: str
    at: int | None
    weight: float
    """How much it moved the number, in the number's own unit; event weights for needs and affinities (a view is 1).
    0: it counted, by way of a model.
    """


@dataclass(frozen=True, slots=True)
class Contribution:
    """Of one input to what a model says."""

    feature: str
    value: float
    """As the model got it."""
    amount: float
    """In the breakdown's unit."""


@dataclass(frozen=True, slots=True)
class Breakdown:
    """What a model made of what it looked at."""

    unit: str
    """log-odds: contributions and `base` add up. probability, orders, money: what each input changes by itself."""
    base: float
    contributions: tuple[Contribution, ...]
    """Heaviest first."""
    model: str
    """Version."""


@dataclass(frozen=True, slots=True)
class Explanation:
    subject: str
    value: str
    """As the profile has it."""
    reasons: tuple[Reason, ...]
    """Newest first."""
    complete: bool
    """False when more may have counted: events older than what is kept, or more of one that moved a lot."""
    breakdown: Breakdown | None = None
    """Of what a model tells."""


def reasons_of(profile: ProfileUpdated, steps: Sequence[Step], subject: str, session_gap_ms: int) -> list[Reason]:
    """Newest first. `subject`: one of `subjects.subjects(profile)`; `steps` oldest first."""
    kind, _, name = subject.partition(":")
    match kind:
        case "need":
            found = _of_need(profile, steps, subject)
        case "segment":
            found = _of_segment(profile, steps, name)
        case "session" | "propensity":
            began = profile.session.started_at.timestamp() * 1000
            stage = f"stage:{profile.session.funnel_stage}"
            here = [step for step in steps if step.at >= began]
            found = _moved(here, lambda mark: mark == stage) if kind == "session" else _all(here, 0.0)
        case "sessions":
            found = _all([session[0] for session in _sessions(steps, session_gap_ms)], 1.0)
        case "exit":
            found = list(_exits(steps, name, session_gap_ms))
        case "hour":
            found = _all([step for step in steps if step.at // HOUR_MS % _HOURS == int(name)], 1.0)
        case "events":
            found = _all(steps, 1.0)
        case _ if kind == "orders" or kind in OUTLOOK:
            found = _all([step for step in steps if step.kind == _ORDER], float(kind == "orders"))
        case "language":
            found = _moved(steps, lambda mark: mark == f"language:{profile.language}")
        case _:
            marks = _MARKED.get(subject, (subject,))
            found = _moved(steps, lambda mark: mark in marks)
    return found[::-1]


def _all(steps: Sequence[Step], weight: float) -> list[Reason]:
    return [Reason(step.event_id, step.kind, step.at, weight) for step in steps]


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


def _of_segment(profile: ProfileUpdated, steps: Sequence[Step], segment_id: str) -> list[Reason]:
    """A taste is made of needs, a voice of texts that sound like it; a type looks at everything that was done."""
    segment = next(each for each in profile.segments if each.segment_id == segment_id)
    if segment.family == "type":
        return _all(steps, 0.0)
    of_taste = segment.family == "taste"
    return _moved(steps, lambda mark: mark.startswith("need:") if of_taste else mark == f"voice:{segment.name}")


def _sessions(steps: Sequence[Step], gap_ms: int) -> list[list[Step]]:
    """Steps of one visit each. What came too late belongs to none."""
    found: list[list[Step]] = []
    for step in steps:
        if "too_late" in step.marks:
            continue
        if found and step.at <= found[-1][-1].at + gap_ms:
            found[-1].append(step)
        else:
            found.append([step])
    return found


def _exits(steps: Sequence[Step], stage: str, gap_ms: int) -> Iterator[Reason]:
    """The last event of each visit that is over and got as far as `stage`."""
    for session in _sessions(steps, gap_ms)[:-1]:
        reached = max(session, key=_depth)
        if f"stage:{stage}" in reached.marks:
            yield Reason(session[-1].event_id, session[-1].kind, session[-1].at, 1.0)


def _depth(step: Step) -> int:
    """How far towards buying it is."""
    names = [mark.removeprefix(_STAGE) for mark in step.marks if mark.startswith(_STAGE)]
    return max((Stage[name.upper()] for name in names), default=Stage.BROWSE)
