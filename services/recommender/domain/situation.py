"""All that is known when an answer is made. Sources read it; nobody writes to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from rapport.events.profiles import ProfileUpdated
from rapport.events.recommendations import ReasonKind, Strategy
from services.recommender.domain.catalogue import Catalogue
from services.recommender.domain.graph import NO_GRAPH, ProductGraph
from services.recommender.domain.reactions import NO_REACTIONS, NO_STATISTICS, ItemStatistics, Reactions
from services.recommender.domain.relevance import Level

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Near:
    """The products nearest to one query."""

    level: Level
    product_ids: Sequence[str]
    """The nearest first."""
    cosines: Floats

    def standing_out(self, known: Collection[str]) -> tuple[Sequence[str], npt.NDArray[np.float64], float]:
        """Products that are nearer than an ordinary one, by how many deviations each, and from how many on that is
        enough to speak of. The measure is the nearest product that is not `known` to the customer: a need made of a
        product's own text lies right upon it."""
        nearest = next((at for at, product_id in enumerate(self.product_ids) if product_id not in known), None)
        notable = self.level.notable(1.0 if nearest is None else float(self.cosines[nearest]))
        above = (self.cosines.astype(np.float64) - self.level.mean) / self.level.deviation
        # The nearest come first.
        count = int(np.count_nonzero(above > 0))
        return self.product_ids[:count], above[:count], notable

    def without(self, product_id: str) -> Near:
        """All but one product."""
        if product_id not in self.product_ids:
            return self
        at = self.product_ids.index(product_id)
        others = [*self.product_ids[:at], *self.product_ids[at + 1 :]]
        return Near(self.level, others, np.delete(self.cosines, at))


@dataclass(frozen=True, slots=True)
class NeedHits:
    """What serves one need of the customer."""

    label: str
    strength: float
    near: Near


class Tie(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One product's tie to another by what shoppers did."""

    product_id: str
    mark: float
    looked: tuple[int, ...] = ()
    """Numbers of shoppers who looked at both in one visit; at most three are remembered."""
    bought: tuple[int, ...] = ()
    """The same for who bought both in one order."""


@dataclass(frozen=True)
class Boards:
    """What all shoppers do. Marks are those of `decay`, the highest first."""

    trending: Sequence[tuple[str, float]] = ()
    popular: Sequence[tuple[str, float]] = ()
    shoppers_today: Mapping[str, int] = field(default_factory=dict)
    """By product: different shoppers who looked at it today."""
    clock_ms: int = 0
    """Event time of the newest behaviour counted."""

    @cached_property
    def trending_columns(self) -> tuple[list[str], npt.NDArray[np.float64]]:
        """Product ids and marks."""
        return _columns(self.trending)

    @cached_property
    def popular_columns(self) -> tuple[list[str], npt.NDArray[np.float64]]:
        """Product ids and marks."""
        return _columns(self.popular)

    @cached_property
    def marks(self) -> tuple[Mapping[str, float], Mapping[str, float]]:
        """Those of what is trending and of what is popular, by product."""
        return dict(self.trending), dict(self.popular)


def _columns(board: Sequence[tuple[str, float]]) -> tuple[list[str], npt.NDArray[np.float64]]:
    return [product_id for product_id, _ in board], np.array([mark for _, mark in board])


@dataclass(frozen=True, slots=True)
class WishHits:
    """What serves a wish that the language model wrote for the customer."""

    text: str
    near: Near


@dataclass(frozen=True)
class Situation:
    now_ms: int
    catalogue: Catalogue
    customer_id: str = ""
    """Empty: nobody is known."""
    profile: ProfileUpdated | None = None
    recent: Sequence[str] = ()
    """Products the customer looked at, newest first."""
    needs: Sequence[NeedHits] = ()
    similar: Near | None = None
    """What is near the product looked at last."""
    ties: Mapping[str, Sequence[Tie]] = field(default_factory=dict)
    """By recent product."""
    boards: Boards = Boards()
    gaps: Mapping[Strategy, str] = field(default_factory=dict)
    """Why a strategy can have nothing to go by, where that is known."""
    encoder: str | None = None
    """Space of the vectors that were compared."""
    tenant: str = ""
    fetch: int = 50
    """Candidates wanted from each source."""
    wishes: Sequence[WishHits] = ()
    recalled: Mapping[ReasonKind, Sequence[tuple[str, float]]] = field(default_factory=dict)
    """By source that had to be asked: product id and score from 0 to 1, the best first."""
    graph: ProductGraph = NO_GRAPH
    reactions: Reactions = NO_REACTIONS
    """What this customer made of what they were shown and bought."""
    statistics: ItemStatistics = NO_STATISTICS
    """What all customers made of it."""
    hour: int = 0
    weekday: int = 0
    """In the shop's time zone; Monday is 0."""

    @cached_property
    def looked_at(self) -> frozenset[str]:
        """Products that the customer looked at lately."""
        return frozenset(self.recent) | frozenset(self.profile.recent_product_ids if self.profile else ())

    @cached_property
    def bought(self) -> frozenset[str]:
        """Products that the customer has."""
        return frozenset(self.profile.purchased_product_ids if self.profile else ())
