"""Who belongs to which segment, without flapping.

Two thresholds (Schmitt trigger): a segment is entered at a probability of `enter`, and left below `leave`. In between
nothing changes, so noise around either of them cannot move anybody to and fro.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from services.profiler.domain.learned import Membership


@dataclass(frozen=True, slots=True)
class Thresholds:
    """`leave` < `enter`. Above 0.5 at most one segment of a family can be entered."""

    enter: float = 0.6
    leave: float = 0.35
    evidence: int = 4
    """Events of a customer before they are put anywhere: fewer say little."""


@dataclass(frozen=True, slots=True)
class Change:
    """A customer entered or left a segment."""

    change: Literal["entered", "left"]
    segment: str
    name: str
    confidence: float


def decide(
    now: Membership | None,
    probabilities: Mapping[str, float],
    names: Mapping[str, str],
    evidence: int,
    at: int,
    thresholds: Thresholds,
) -> tuple[Membership | None, list[Change]]:
    """The membership after what is known now, and what changed.

    `probabilities` and `names` by segment id; `evidence`: events of the customer; `at`: event time. A segment that a
    refit dissolved is left at once. The confidence of leaving is the probability of not belonging.
    """
    changes: list[Change] = []
    if now is not None:
        own = probabilities.get(now.segment, 0.0)
        if own >= thresholds.leave:
            return Membership(now.segment, names[now.segment], now.since, own), changes
        changes.append(Change("left", now.segment, now.name, 1.0 - own))
    best = max(probabilities, key=lambda segment: (probabilities[segment], segment), default=None)
    if best is None or evidence < thresholds.evidence or probabilities[best] < thresholds.enter:
        return None, changes
    confidence = probabilities[best]
    changes.append(Change("entered", best, names[best], confidence))
    return Membership(best, names[best], at, confidence), changes
