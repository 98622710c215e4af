"""Permits: how much may wait at once. What cannot be held is refused at the door rather than killed for its memory."""

from __future__ import annotations

from collections.abc import Sequence, Sized

from rapport.ops.errors import OverloadedError
from rapport.serving.figures import Figures

# Characters of one text that count: what lies behind them does not fit into an encoder's window.
_COUNTED = 4096


class Admission:
    """Counts calls and their characters from arrival to answer."""

    def __init__(self, figures: Figures, calls: int, characters: int) -> None:
        """Most calls, and most characters of theirs together; a single call may have more when it is alone."""
        self._figures, self._most_calls, self._most_characters = figures, calls, characters
        self.calls = self._characters = 0

    def enter(self, texts: Sequence[Sized]) -> int:
        """A permit, to be given back with `leave`; where a text comes as ids, each counts as a character. Raises
        `OverloadedError`."""
        weight = sum(min(len(text), _COUNTED) for text in texts)
        crowded = self.calls and self._characters + weight > self._most_characters
        if self.calls >= self._most_calls or crowded:
            self._figures.failed("rejected")
            waiting = f"{self.calls} calls with {self._characters} characters are waiting already"
            raise OverloadedError(waiting, fix="try again later")
        self._count(1, weight)
        return weight

    def leave(self, permit: int) -> None:
        self._count(-1, -permit)

    def _count(self, calls: int, characters: int) -> None:
        self.calls += calls
        self._characters += characters
        self._figures.pending(self.calls)
