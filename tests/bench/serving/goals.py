"""What the bench is for: the goals, what was found, and whether it is enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.figures import report


@dataclass(frozen=True, slots=True)
class Goal:
    """`found` should be at least `least`, or at most `most`."""

    name: str
    found: float
    least: float | None = None
    most: float | None = None

    @property
    def met(self) -> bool:
        return (self.least is None or self.found >= self.least) and (self.most is None or self.found <= self.most)


def judge(goals: Sequence[Goal]) -> None:
    """Prints them; nothing when what they are about was not measured."""
    if not goals:
        return
    rows = [
        {
            "goal": goal.name,
            "asked": f"at least {goal.least}" if goal.least is not None else f"at most {goal.most}",
            "found": goal.found,
            "met": "yes" if goal.met else "NO",
        }
        for goal in goals
    ]
    report("Goals on 2 CPU cores, by the clock of a quiet machine", rows, None)
