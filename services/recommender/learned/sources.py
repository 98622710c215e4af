"""Learned sources of candidates that need no I/O: item–item weights, and factors with the customer folded in."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from rapport.events.recommendations import ReasonKind, Strategy
from rapport.models.versions import Version
from services.recommender.domain.situation import Situation
from services.recommender.domain.sources.source import Evidence, Found
from services.recommender.learned.factors import Factors
from services.recommender.learned.item_item import ItemItem
from services.recommender.learned.store import About, load_factors, load_item_item

# What a customer looked at lately that a source reads: older looks have faded to nothing by then.
_READ = 50
# Score of the customer's own part from which on it is said that shoppers with such a taste chose it.
_TASTE = 0.25


class ItemItemSource:
    """What goes with what the customer dealt with. Finds nothing until a version is promoted."""

    name: ClassVar[ReasonKind] = "item_item"
    strategy: ClassVar[Strategy] = "co_visited"

    def __init__(self) -> None:
        self._loaded: tuple[ItemItem, About] | None = None

    async def use(self, version: Version | None) -> None:
        """Takes a promoted version over; None: there is none any more. Raises `ModelError`; then the old one stays."""
        self._loaded = await asyncio.to_thread(load_item_item, version.folder) if version else None

    def find(self, situation: Situation) -> Iterable[Found]:
        if self._loaded is None or self._loaded[1].tenant != situation.tenant:
            return
        model, about = self._loaded
        items, scores, seeds = model.scored(history(situation, model.number))
        for at in _best(scores, situation.fetch):
            if scores[at] <= 0:
                return
            subject = model.items[seeds[at]]
            score = squashed(float(scores[at]), about.half_at)
            yield Found(model.items[items[at]], score, _evidence(self.name, subject, situation))


class FactorsSource:
    """What fits the customer's factor, which is folded in from the latest events. Finds nothing until promoted."""

    name: ClassVar[ReasonKind] = "factors"
    strategy: ClassVar[Strategy] = "personalised"

    def __init__(self) -> None:
        self._loaded: tuple[Factors, About] | None = None

    async def use(self, version: Version | None) -> None:
        """Takes a promoted version over; None: there is none any more. Raises `ModelError`; then the old one stays."""
        self._loaded = await asyncio.to_thread(load_factors, version.folder) if version else None

    def find(self, situation: Situation) -> Iterable[Found]:
        if self._loaded is None or self._loaded[1].tenant != situation.tenant:
            return
        model, about = self._loaded
        seen = history(situation, model.number)
        if not seen:
            return
        scores = model.scores(seen)
        vectors = model.vectors[seen]
        for at in _best(scores, situation.fetch):
            if scores[at] <= 0:
                return
            subject = model.items[seen[int(np.argmax(vectors @ model.vectors[at]))]]
            score = squashed(float(scores[at]), about.half_at)
            # What only everybody's liking brings up is not the customer's taste.
            own = squashed(float(scores[at] - model.biases[at]), about.half_at) >= _TASTE
            yield Found(model.items[at], score, _evidence(self.name, subject, situation, own))


def history(situation: Situation, number: dict[str, int]) -> list[int]:
    """Numbers of the known products that the customer bought and looked at, oldest first; looks count as newer."""
    looked = [number[product] for product in reversed(situation.recent) if product in number]
    older = [number[product] for product in sorted(situation.bought) if product in number]
    return [*(item for item in older if item not in looked), *looked][-_READ:]


def squashed(score: float, half_at: float) -> float:
    """0 to 1, one half at `half_at`: comparable between customers and sources."""
    return max(0.0, score) / (max(0.0, score) + half_at)


def _evidence(kind: ReasonKind, subject: str, situation: Situation, told: bool = True) -> Evidence:
    looked = subject in situation.recent
    # Of a purchase of some time ago "which you looked at" would not be true.
    return Evidence(kind, subject if looked else "", notable=looked and told, looked_at=looked)


def _best(values: npt.NDArray[np.float32], count: int) -> Iterable[int]:
    """Places of the highest, highest first."""
    if not len(values):
        return ()
    count = min(count, len(values))
    top = np.argpartition(-values, count - 1)[:count]
    return (int(at) for at in top[np.argsort(-values[top], kind="stable")])
