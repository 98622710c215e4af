"""What customers say of the aspects of the shop, in reviews and chats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.profiler.domain.customer import Customer, Insight
from services.profiler.domain.observation import Observation
from services.profiler.domain.trail import mark
from services.profiler.learning.passing import forget
from services.profiler.observers import Observer
from services.profiler.ports import Aspects, Moods


class OpinionObserver(Observer):
    """Scores each clause by itself: "fast delivery, poor quality" is good of one and bad of the other."""

    def __init__(self, aspects: Aspects, moods: Moods) -> None:
        self._aspects, self._moods = aspects, moods
        self._told: dict[str, Mapping[str, str]] = {}
        self._scores: dict[str, float] = {}

    async def prepare(self, batch: Sequence[tuple[Customer, Observation]], insight: Insight | None) -> None:
        """All reviews of the batch in one call, then all that they say of aspects in another.

        Raises `RetryableError` when the worker does not answer.
        """
        del insight
        reviews = {seen.review for _, seen in batch if seen.review is not None}
        unread = sorted(reviews - self._told.keys())
        if unread:
            self._told |= await self._aspects.told(unread)
            forget(self._told, reviews)
        clauses = {clause for review in reviews for clause in self._told.get(review, {}).values()}
        missing = sorted(clauses - self._scores.keys())
        if missing:
            self._scores |= await self._moods.score(missing)
            forget(self._scores, clauses)

    def see(self, customer: Customer, seen: Observation, insight: Insight | None) -> None:
        del insight
        if seen.review is None:
            return
        for aspect, clause in self._told.get(seen.review, {}).items():
            score = self._scores.get(clause)
            if score is not None:
                customer.learned.judge_aspect(aspect, score, seen.at)
                mark(customer.trail, seen.event_id, f"aspect:{aspect}", score)

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
