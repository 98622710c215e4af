"""How much of the model's time copy may take that nobody waits for."""

from __future__ import annotations

import time
from collections.abc import Callable


class TokenBudget:
    """A bucket of language-model tokens: `per_minute` on average, as many at once after a quiet minute."""

    def __init__(self, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = per_minute / 60, clock
        self._most = self._left = per_minute
        self._then = clock()

    def take(self, tokens: int) -> bool:
        """True when so many may be used now; they are then gone."""
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._then) * self._rate)
        self._then = now
        if self._left < tokens:
            return False
        self._left -= tokens
        return True
