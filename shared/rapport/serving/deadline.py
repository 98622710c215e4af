"""The time that is left for the call being served, handed on to every call it makes in turn."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from contextvars import ContextVar

_DEADLINE: ContextVar[float | None] = ContextVar("rapport_deadline", default=None)


@contextlib.contextmanager
def deadline_in(seconds: float) -> Iterator[None]:
    """Inside, `remaining()` counts down from `seconds`, or from an outer deadline that comes sooner."""
    ends, outer = time.monotonic() + seconds, _DEADLINE.get()
    token = _DEADLINE.set(ends if outer is None else min(ends, outer))
    try:
        yield
    finally:
        _DEADLINE.reset(token)


def deadline() -> float | None:
    """When the current call must be over, on `time.monotonic`'s clock; None outside of calls."""
    return _DEADLINE.get()


def remaining() -> float | None:
    """Seconds left for the current call, possibly below 0; None outside of calls."""
    ends = _DEADLINE.get()
    return None if ends is None else ends - time.monotonic()
