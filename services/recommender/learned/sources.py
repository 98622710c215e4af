"""Learned sources of candidates that need no I/O: item–item weights, and factors with the customer folded in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from rapport.events.recommendations import ReasonKind, Strategy
from rapport.models.versions import Version
from services.recommender.domain.situation import Situation
from services.recommender.domain.sources.source import NOTHING, Evidence, Finds, Floats
from services.recommender.learned.store import About, check_tenant, load_factors, load_item_item

M = TypeVar("M")
# What a customer looked at lately that a source reads: older looks have faded to nothing by then.
_READ = 50
# Score of the customer's own part from which on it is said that shoppers with such a taste chose it.
_TASTE = 0.25


class _Promoted(Generic[M]):
    """The promoted version of each tenant."""

    def __init__(self, load: Callable[[Path], tuple[M, About]]) -> None:
        self._load = load
        self._loaded: dict[str, tuple[M, About]] = {}

    def of(self, tenant: str) -> tuple[M, About] | None:
        return self._loaded.get(tenant)

    async def use(self, tenant: str, version: Version | None) -> None:
        if version is None:
            self._loaded.pop(tenant, None)
            return
        model, about = await asyncio.to_thread(self._load, version.folder)
        check_tenant(version, about.tenant, tenant)
        self._loaded[tenant] = model, about


class ItemItemSource:
    """What goes with what the customer dealt with. Finds nothing until a version is promoted."""

    name: ClassVar[ReasonKind] = "item_item"
    strategy: ClassVar[Strategy] = "co_visited"

    def __init__(self) -> None:
        self._models = _Promoted(load_item_item)

    async def use(self, tenant: str, version: Version | None) -> None:
        """Takes a promoted version over; None: there is none any more. Raises `ModelError`; then the old one stays."""
        await self._models.use(tenant, version)

    def find(self, situation: Situation) -> Finds:
        loaded = self._models.of(situation.tenant)
        if loaded is None:
            return NOTHING
        model, about = loaded
        items, scores, seeds = model.scored(history(situation, model.number))
        best = _best(scores, situation.fetch)
        return Finds(
            [model.items[at] for at in items[best].tolist()],
            squashed(scores[best], about.half_at),
            lambda at: _evidence(self.name, model.items[seeds[best[at]]], situation),
        )


class FactorsSource:
    """What fits the customer's factor, which is folded in from the latest events. Finds nothing until promoted."""

    name: ClassVar[ReasonKind] = "factors"
    strategy: ClassVar[Strategy] = "personalised"

    def __init__(self) -> None:
        self._models = _Promoted(load_factors)

    async def use(self, tenant: str, version: Version | None) -> None:
        """Takes a promoted version over; None: there is none any more. Raises `ModelError`; then the old one stays."""
        await self._models.use(tenant, version)

    def find(self, situation: Situation) -> Finds:
        loaded = self._models.of(situation.tenant)
        if loaded is None:
            return NOTHING
        model, about = loaded
        seen = history(situation, model.number)
        if not seen:
            return NOTHING
        scores = model.scores(seen)
        best = _best(scores, situation.fetch)

        def evidence(number: int) -> Evidence:
            at = best[number]
            subject = model.items[seen[int(np.argmax(model.vectors[seen] @ model.vectors[at]))]]
            # What only everybody's liking brings up is not the customer's taste.
            own = float(squashed(scores[at] - model.biases[at], about.half_at)) >= _TASTE
            return _evidence(self.name, subject, situation, own)

        return Finds([model.items[at] for at in best.tolist()], squashed(scores[best], about.half_at), evidence)


def history(situation: Situation, number: dict[str, int]) -> list[int]:
    """Numbers of the known products that the customer bought and looked at, oldest first; looks count as newer."""
    looked = [number[product] for product in reversed(situation.recent) if product in number]
    older = [number[product] for product in sorted(situation.bought) if product in number]
    return [*(item for item in older if item not in looked), *looked][-_READ:]


def squashed(score: Floats, half_at: float) -> Floats:
    """0 to 1, one half at `half_at`: comparable between customers and sources."""
    above = np.maximum(score, 0.0)
    return np.asarray(above / (above + half_at))


def _evidence(kind: ReasonKind, subject: str, situation: Situation, told: bool = True) -> Evidence:
    looked = subject in situation.recent
    # Of a purchase of some time ago "which you looked at" would not be true.
    return Evidence(kind, subject if looked else "", notable=looked and told, looked_at=looked)


def _best(values: npt.NDArray[np.float32], count: int) -> npt.NDArray[np.intp]:
    """Places of the highest that are above 0, highest first."""
    count = min(count, len(values))
    top = np.argpartition(-values, count - 1)[:count] if count else np.empty(0, np.intp)
    top = top[np.argsort(-values[top], kind="stable")]
    return top[values[top] > 0]
