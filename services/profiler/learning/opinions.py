"""What customers say of the aspects of the shop, in reviews and chats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.profiler.domain.aspects import aspects_of
from services.profiler.domain.customer import Customer, Insight
from services.profiler.domain.observation import Observation
from services.profiler.observers import Observer
from services.profiler.ports import Moods

# Scores of clauses that are kept between `prepare` and `see`; several partitions prepare at once.
_KEPT = 4_000


class OpinionObserver(Observer):
    """Scores each clause by itself: "fast delivery, poor quality" is good of one and bad of the other."""

    def __init__(self, moods: Moods) -> None:
        self._moods = moods
        self._scores: dict[str, float] = {}

    async def prepare(self, batch: Sequence[tuple[Customer, Observation]], insight: Insight | None) -> None:
        """All clauses of the batch in one call. Raises `RetryableError` when the worker does not answer."""
        del insight
        clauses = {
            clause for _, seen in batch if seen.review is not None for clause in aspects_of(seen.review).values()
        }
        missing = sorted(clauses - self._scores.keys())
        if missing:
            self._scores |= await self._moods.score(missing)
            for clause in list(self._scores)[: max(0, len(self._scores) - _KEPT)]:
                if clause not in clauses:
                    del self._scores[clause]

    def see(self, customer: Customer, seen: Observation, insight: Insight | None) -> None:
        del insight
        if seen.review is None:
            return
        for aspect, clause in aspects_of(seen.review).items():
            score = self._scores.get(clause)
            if score is not None:
                customer.learned.judge_aspect(aspect, score, seen.at)

    def describe(self, customer: Customer) -> Mapping[str, Any]:
        found = customer.learned.aspects
        ranked = sorted(found, key=lambda aspect: (-len(found[aspect]), aspect))
        return {
            "aspects": [
                {
                    "aspect": aspect,
                    "score": sum(score for _, score in found[aspect]) / len(found[aspect]),
                    "count": len(found[aspect]),
                }
                for aspect in ranked
            ]
        }
