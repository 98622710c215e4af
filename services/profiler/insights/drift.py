"""Segment drift: segments that more people leave than enter, or the other way round."""

from __future__ import annotations

import math
from collections.abc import Iterator

from services.profiler.insights.buckets import Buckets
from services.profiler.insights.finding import Finding, Windows

# Moves that make a trend, and how lopsided they must be.
_LEAST_MOVES, _SURE = 20, 0.999
_SHARE = 0.7


class Drift:
    """Moves by segment, as segments.v1 tells them. Those of the hours after a refit are its doing, and do not count."""

    def __init__(self) -> None:
        self._moves: Buckets[tuple[str, str]] = Buckets()
        self._names: dict[str, str] = {}
        self._model: dict[str, str] = {}
        self._since: dict[str, int] = {}

    def move(self, family: str, segment: str, name: str, change: str, model: str, at: int, event_id: str) -> None:
        if self._model.get(family) != model:
            self._model[family] = model
            self._since[family] = at
        self._names[segment] = name
        self._moves.add((segment, change), at, event_id)

    def forget(self, before: int) -> None:
        self._moves.forget(before)

    def findings(self, windows: Windows) -> Iterator[Finding]:
        for segment, name in sorted(self._names.items()):
            family = segment.partition("-")[0]
            if self._since.get(family, 0) > windows.start:
                continue
            entered = self._moves.total((segment, "entered"), windows.start, windows.until)
            left = self._moves.total((segment, "left"), windows.start, windows.until)
            moves, most = entered + left, max(entered, left)
            if moves < _LEAST_MOVES or most < _SHARE * moves or left == 0:
                continue
            sure = math.erf(abs(entered - left) / math.sqrt(moves) / math.sqrt(2))
            if sure < _SURE:
                continue
            grows = entered > left
            yield Finding(
                "segment_drift",
                f"segment:{segment}",
                f"{name} {'gains' if grows else 'loses'} customers: {entered} entered and {left} left.",
                entered - left,
                sure,
                windows.start,
                windows.now,
                self._moves.evidence((segment, "entered" if grows else "left")),
                {"entered": entered, "left": left, "unit": "customers"},
                1 if grows else -1,
            )
