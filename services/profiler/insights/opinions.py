"""Sentiment swings: how a product, or an aspect of the shop, is spoken of now and before."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterator

from services.profiler.insights.finding import SURE, Finding, Windows, mean_differs, mean_is_off

# Opinions on either side, and the change of the mean (of a scale from -1 to 1). Where nothing changes, at 6 to 30 of
# them a day, a subject is told of once in a year; where 80 % good become 20 %, of ten a day, it is within four days
# nine times in ten (simulated; 0.999 instead of `SURE`: three times as many of the first, two days instead of four).
_LEAST, _LEAST_CHANGE = 5, 0.4
# A product that a handful of people agree is bad needs no time before to compare with.
_BAD, _LEAST_BAD, _SURE_BAD = -0.4, 5, 0.99
_MOST_KEPT = 2_000
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
    if abs(mean - usual) < _LEAST_CHANGE or sure < SURE:
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
    sure = mean_is_off(mean, spread, len(now))
    if mean > _BAD or sure < _SURE_BAD:
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
