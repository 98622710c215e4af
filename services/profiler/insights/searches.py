"""Searches that led to nothing: no result, or results that nobody opened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from services.profiler.insights.buckets import Buckets
from services.profiler.insights.finding import Finding, Windows, percent

# A result that is opened within this time of the search was a good one.
_OPENED_WITHIN_MS = 10 * 60_000
# Searches of a text, and different people behind them, that make a gap in the range worth a word.
_LEAST, _LEAST_PEOPLE, _LEAST_SHARE = 5, 3, 0.6
_MOST_TOLD = 20


@dataclass(slots=True)
class _Search:
    at: int
    text: str
    results: int | None
    event_id: str


class Searches:
    """By text, lower case and without surplus blanks."""

    def __init__(self) -> None:
        self._open: dict[str, _Search] = {}
        self._all: Buckets[str] = Buckets()
        self._poor: Buckets[str] = Buckets()
        self._people: Buckets[tuple[str, str]] = Buckets()

    def search(self, visitor: str, at: int, query: str, results: int | None, event_id: str) -> None:
        """`visitor` searched."""
        self._settle(visitor)
        self._open[visitor] = _Search(at, " ".join(query.casefold().split()), results, event_id)

    def opened(self, visitor: str, at: int) -> None:
        """`visitor` looked at a product."""
        found = self._open.get(visitor)
        if found is not None and found.results != 0 and at - found.at <= _OPENED_WITHIN_MS:
            del self._open[visitor]
            self._all.add(found.text, found.at)

    def close(self, now: int) -> None:
        """Settles the searches that nobody can open a result of any more."""
        for visitor in [who for who, found in self._open.items() if now - found.at > _OPENED_WITHIN_MS]:
            self._settle(visitor)

    def forget(self, before: int) -> None:
        for buckets in (self._all, self._poor):
            buckets.forget(before)
        self._people.forget(before)

    def findings(self, windows: Windows) -> Iterator[Finding]:
        """The searches that failed most often lately."""
        poor = self._poor.totals(windows.start, windows.until)
        people: dict[str, int] = {}
        for text, _ in self._people.totals(windows.start, windows.until):
            people[text] = people.get(text, 0) + 1
        for text, count in poor.most_common(_MOST_TOLD):
            tried = self._all.total(text, windows.start, windows.until)
            if count < _LEAST or people.get(text, 0) < _LEAST_PEOPLE or count < _LEAST_SHARE * tried:
                continue
            yield Finding(
                "search_gap",
                f"search:{text}"[:200],
                f"{count} of {tried} searches for “{text}” ({percent(count / tried)}), by {people[text]} people, "
                "found nothing that anybody opened.",
                count,
                1 - 0.5 ** (people[text] - 1),
                windows.start,
                windows.now,
                self._poor.evidence(text),
                {"searches": tried, "without_result": count, "people": people[text], "unit": "searches"},
            )

    def _settle(self, visitor: str) -> None:
        found = self._open.pop(visitor, None)
        if found is None:
            return
        self._all.add(found.text, found.at)
        self._poor.add(found.text, found.at, found.event_id)
        self._people.add((found.text, visitor), found.at)
