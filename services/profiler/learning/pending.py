"""Examples that wait for their outcome: what was known at a moment, and whether an order came in time.

An example is one served moment, x at time t. Its outcome is 1 when the same visitor orders after t and before the
deadline, 0 when event time passes the deadline without one. Nothing is learned earlier, not even the orders: they
would come before the non-orders of the same time, and every probability would be too high.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

# Moments of one visitor that wait at once; a session with more has said what it has to say.
_MOMENTS = 24
Example = tuple[list[float], float]
"""Inputs and outcome."""


@dataclass(slots=True)
class _Waiting:
    deadline: int
    moments: list[tuple[int, list[float], bool]] = field(default_factory=list)
    """Time, inputs, ordered since."""


class Pending:
    """By visitor, in order of deadlines as far as events come in order. Event times in milliseconds."""

    def __init__(self, wait_ms: int, capacity: int, *, moving: bool) -> None:
        """`wait_ms`: from the newest moment (`moving`: a session ends after a pause; many moments of a visitor) or from
        the only one (one moment of a visitor at a time) to the deadline. Beyond `capacity` visitors the oldest are
        given up: they would only be learned from.
        """
        self._wait_ms, self._capacity, self._moving = wait_ms, capacity, moving
        self._most = _MOMENTS if moving else 1
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def note(self, visitor: str, at: int, inputs: list[float]) -> None:
        """A moment of `visitor`. The same moment once more changes nothing."""
        waiting = self._waiting.get(visitor)
        if waiting is None:
            waiting = self._waiting[visitor] = _Waiting(at + self._wait_ms)
            if len(self._waiting) > self._capacity:
                self._waiting.popitem(last=False)
        elif self._moving and at + self._wait_ms > waiting.deadline:
            waiting.deadline = at + self._wait_ms
            self._waiting.move_to_end(visitor)
        known = any(moment[0] == at for moment in waiting.moments)
        if not known and len(waiting.moments) < self._most:
            waiting.moments.append((at, inputs, False))

    def ordered(self, visitor: str, at: int) -> None:
        """`visitor` ordered: all earlier moments that wait were followed by an order."""
        waiting = self._waiting.get(visitor)
        if waiting is not None and at <= waiting.deadline:
            waiting.moments = [(time, inputs, done or time < at) for time, inputs, done in waiting.moments]

    def rename(self, visitor: str, known_as: str) -> None:
        """`visitor` is somebody known: an order of theirs is the outcome that the visitor's moments wait for."""
        waiting = self._waiting.pop(visitor, None)
        if waiting is None:
            return
        known = self._waiting.get(known_as)
        if known is None:
            self._waiting[known_as] = waiting
            self._waiting.move_to_end(known_as, last=False)  # no later than where it was: by deadlines as far as may be
        else:
            known.moments = sorted([*known.moments, *waiting.moments])[: self._most]

    def due(self, now: int) -> Iterator[Example]:
        """Examples whose deadline is before `now`, in event time; they wait no longer."""
        while self._waiting:
            visitor, waiting = next(iter(self._waiting.items()))
            if waiting.deadline >= now:
                return
            del self._waiting[visitor]
            for _, inputs, done in waiting.moments:
                yield inputs, float(done)
