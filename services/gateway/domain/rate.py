"""How often somebody may call: some at once, and so many a second in the long run."""

from __future__ import annotations

import time
from collections.abc import Callable

# Seconds' worth of calls that may come at once: a page that loads asks for several things together.
_BURST_S = 5.0
# Callers known at once. Those who have been quiet long enough are forgotten first; 50,000 take some 10 MB.
_CALLERS = 50_000


class Rate:
    """The generic cell rate algorithm (ITU-T I.371): a token bucket that keeps one time a caller."""

    def __init__(self, a_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        """0 a second: no limit."""
        self._every_s = 1 / a_second if a_second else 0.0
        self._clock = clock
        self._full_at: dict[str, float] = {}

    def wait(self, caller: str) -> float:
        """Seconds until `caller` may call; 0: now, and that call is counted."""
        if not self._every_s:
            return 0.0
        now = self._clock()
        full_at = max(self._full_at.get(caller, now), now) + self._every_s
        # One call is always allowed, however rare calls may be.
        early = full_at - now - max(_BURST_S, self._every_s)
        if early > 1e-9:
            return early
        if caller not in self._full_at and len(self._full_at) >= _CALLERS:
            self._forget(now)
        self._full_at[caller] = full_at
        return 0.0

    def _forget(self, now: float) -> None:
        """Whose bucket is full again, then as many of those known longest as it takes."""
        self._full_at = {caller: at for caller, at in self._full_at.items() if at > now}
        for caller in list(self._full_at)[: len(self._full_at) - _CALLERS + 1]:
            del self._full_at[caller]
