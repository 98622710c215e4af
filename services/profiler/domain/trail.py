"""Which events made the profile what it is: the last ones, each with the numbers that it moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.profiler.domain.observation import Observation

# Enough for the visits that a profile speaks of; some 120 bytes each.
MAX_STEPS = 24
# Of an event itself: an order of many products moves more than anybody reads. What is learned of it comes on top.
_MAX_MARKS, _MAX_LEARNED = 12, 12
CUT = "cut"
"""The mark of a step that moved more than its marks tell."""


@dataclass(slots=True)
class Step:
    """One event."""

    event_id: str
    at: int
    kind: str
    """The event's name."""
    marks: dict[str, float] = field(default_factory=dict)
    """What it moved, and by how much: "category:Shoes", "need:Shoes", "stage:cart", "revenue", "sentiment",
    "aspect:price", "voice:Gift buyer", "device:mobile", "language:de", "bought", "reduced", "returned", "late",
    "too_late", `CUT`."""


@dataclass(slots=True)
class Backing:
    """What explains a profile."""

    steps: Sequence[Step] = ()
    """Oldest first."""
    inputs: Mapping[str, bytes] = field(default_factory=dict)
    """By model, what it looked at: float32, packed."""


def step_of(seen: Observation, mood: float | None) -> Step:
    """`mood`: the score of the event's review, if it has one."""
    marks: dict[str, float] = {f"stage:{seen.stage.name.lower()}": 1.0}
    if seen.order is not None:
        marks["revenue"] = float(seen.order.total)
    if seen.refund is not None:
        marks["revenue"] = -float(seen.refund.amount or 0)
    if mood is not None:
        marks["sentiment"] = mood
    if seen.device:
        marks[f"device:{seen.device}"] = 1.0
    pieces = (("bought", seen.pieces), ("reduced", seen.pieces_reduced), ("returned", seen.pieces_returned))
    marks |= {name: float(count) for name, count in pieces if count}
    for interest in seen.interests:
        marks[f"need:{interest.label}"] = marks.get(f"need:{interest.label}", 0.0) + interest.weight
    for dimension, value, weight in seen.affinities:
        name = f"{dimension}:{value}"
        marks[name] = marks.get(name, 0.0) + weight
    if len(marks) > _MAX_MARKS:
        telling = sorted(marks.items(), key=lambda mark: mark[0].startswith("attribute:"))
        marks = {**dict(telling[:_MAX_MARKS]), CUT: 1.0}
    return Step(seen.event_id, seen.at, seen.kind, marks)


def too_late_step(seen: Observation) -> Step:
    """Of an event that moved money alone."""
    money = {name: amount for name, amount in step_of(seen, None).marks.items() if name == "revenue"}
    return Step(seen.event_id, seen.at, seen.kind, {"too_late": 1.0, **money})


def mark(steps: list[Step], event_id: str, name: str, amount: float) -> None:
    """Notes that the event moved `name` as well."""
    for step in reversed(steps):
        if step.event_id == event_id:
            if len(step.marks) < _MAX_MARKS + _MAX_LEARNED:
                step.marks[name] = amount
            return


def walk(steps: list[Step], more: list[Step]) -> list[Step]:
    """Both trails as one, oldest first, as long as one may be."""
    if len(more) == 1 and (not steps or steps[-1].at <= more[0].at):
        return [*steps[-MAX_STEPS + 1 :], *more]  # one more event, in time: nearly always
    known = {step.event_id for step in steps}
    both = [*steps, *(step for step in more if step.event_id not in known)]
    return sorted(both, key=lambda step: (step.at, step.event_id))[-MAX_STEPS:]
