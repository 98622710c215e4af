"""Counts by name and ten minutes, with a few of the events behind them."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

from services.profiler.insights.finding import SPAN_MS

HOUR_MS = 3_600_000
# Events shown as evidence of a finding.
_EVIDENCE = 5
Name = TypeVar("Name", bound=Hashable)


class Buckets(Generic[Name]):
    """Event times in milliseconds; sums are over whole spans."""

    def __init__(self) -> None:
        self._spans: dict[int, Counter[Name]] = defaultdict(Counter)
        self._evidence: dict[Name, deque[str]] = defaultdict(lambda: deque(maxlen=_EVIDENCE))

    def add(self, name: Name, at: int, event_id: str = "", amount: int = 1) -> None:
        """Counts `amount` more at `at`."""
        self._spans[at // SPAN_MS][name] += amount
        if event_id:
            self._evidence[name].append(event_id)

    def total(self, name: Name, start: int, end: int) -> int:
        """From the span of `start` up to, and without, the span of `end`."""
        return sum(span[name] for span in self._between(start, end))

    def totals(self, start: int, end: int) -> Counter[Name]:
        """By name."""
        found: Counter[Name] = Counter()
        for span in self._between(start, end):
            found.update(span)
        return found

    def evidence(self, name: Name) -> tuple[str, ...]:
        """Ids of the newest events, newest first."""
        return tuple(reversed(self._evidence.get(name, ())))

    def first(self) -> int | None:
        """The beginning of the earliest span that is kept."""
        return min(self._spans) * SPAN_MS if self._spans else None

    def forget(self, before: int) -> None:
        """Drops the spans that ended before `before`."""
        for span in [span for span in self._spans if (span + 1) * SPAN_MS <= before]:
            del self._spans[span]
        if len(self._evidence) > len(kept := {name for span in self._spans.values() for name in span}):
            self._evidence = defaultdict(
                lambda: deque(maxlen=_EVIDENCE), {n: e for n, e in self._evidence.items() if n in kept}
            )

    def _between(self, start: int, end: int) -> Iterator[Counter[Name]]:
        first, last = start // SPAN_MS, end // SPAN_MS
        return (counts for span, counts in self._spans.items() if first <= span < last)
