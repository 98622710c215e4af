"""Sentiment swings: how a product, or an aspect of the shop, is spoken of now and before."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterator

from services.profiler.insights.finding import Finding, Windows, mean_differs

# Opinions on either side, the change of the mean (of a scale from -1 to 1), and how sure it must be: opinions are few,
# and a swing that is told late is worth little.
_LEAST, _LEAST_CHANGE, _SURE = 5, 0.4, 0.99
# A product that a handful of people agree is bad needs no time before to compare with.
_BAD, _LEAST_BAD = -0.4, 5
_MOST_KEPT = 2_000
# Against a fixed value: as if it were known from so many opinions.
_MANY = 1_000_000
_EVIDENCE = 5
Said = tuple[int, float, str]
"""Time, score (-1 to 1), event id."""


class Opinions:
    """By subject: "product:p-1", "aspect:delivery", "product:p-1:quality"."""

    def __init__(self) -> None:
        self._said: dict[str, list[Said]] = defaultdict(list)

    def hear(self, subject: str, at: int, score: float, event_id: str) -> None:
        said = self._said[subject]
        said.append((at, score, event_id))
        if len(said) > _MOST_KEPT:
            del said[: _MOST_KEPT // 10]

    def forget(self, before: int) -> None:
        kept = {subject: [one for one in said if one[0] >= before] for subject, said in self._said.items()}
        self._said = defaultdict(list, {subject: said for subject, said in kept.items() if said})

    def findings(self, windows: Windows) -> Iterator[Finding]:
        for subject, said in sorted(self._said.items()):
            now = [one for one in said if windows.start <= one[0] <= windows.now]
            before = [one for one in said if windows.before <= one[0] < windows.start]
            found = _swing(subject, now, before, windows) or _bad(subject, now, before, windows)
            if found is not None:
                yield found


def _swing(subject: str, now: list[Said], before: list[Said], windows: Windows) -> Finding | None:
    if min(len(now), len(before)) < _LEAST:
        return None
    mean, spread = _moments(now)
    usual, spread_before = _moments(before)
    sure = mean_differs((mean, spread, len(now)), (usual, spread_before, len(before)))
    if abs(mean - usual) < _LEAST_CHANGE or sure < _SURE:
        return None
    how = "worse" if mean < usual else "better"
    return Finding(
        "sentiment_swing",
        subject,
        f"{_named(subject)} is spoken of {how}: {mean:+.2f} in {len(now)} opinions, {usual:+.2f} before.",
        round(mean - usual, 2),
        sure,
        windows.start,
        windows.now,
        _telling(now, worst=mean < usual),
        {"score": round(mean, 3), "score_before": round(usual, 3), "opinions": len(now), "unit": "change of score"},
        -1 if mean < usual else 1,
    )


def _bad(subject: str, now: list[Said], before: list[Said], windows: Windows) -> Finding | None:
    """`before` is too short to compare with."""
    if len(now) < _LEAST_BAD or len(before) >= _LEAST:
        return None
    mean, spread = _moments(now)
    sure = mean_differs((mean, spread, len(now)), (0.0, 0.0, _MANY))
    if mean > _BAD or sure < _SURE:
        return None
    return Finding(
        "bad_opinion",
        subject,
        f"{_named(subject)} is spoken of badly: {mean:+.2f} on a scale from -1 to +1, in {len(now)} opinions.",
        round(mean, 2),
        sure,
        windows.start,
        windows.now,
        _telling(now, worst=True),
        {"score": round(mean, 3), "opinions": len(now), "unit": "score"},
        -1,
    )


def _moments(said: list[Said]) -> tuple[float, float]:
    scores = [score for _, score, _ in said]
    return statistics.fmean(scores), statistics.pstdev(scores)


def _telling(said: list[Said], *, worst: bool) -> tuple[str, ...]:
    ranked = sorted(said, key=lambda one: one[1] if worst else -one[1])
    return tuple(event_id for _, _, event_id in ranked[:_EVIDENCE])


def _named(subject: str) -> str:
    kind, _, rest = subject.partition(":")
    product, _, aspect = rest.partition(":")
    if kind == "aspect":
        return rest.capitalize()
    return f"{aspect.capitalize()} of product {product}" if aspect else f"Product {product}"
