"""f(u, p) = sim(r_u, e_p) + λ·rel(p, G), and the weaker signals: one score from many sources, by fixed weights.

sim is the need source (with the product looked at last as a need of the moment), rel(p, G) the product graph and what
shoppers looked at together. A learned ranker puts the best of them in its own order, where there is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from rapport.events.recommendations import ReasonKind
from services.recommender.domain.pool import Pool
from services.recommender.domain.situation import Situation
from services.recommender.domain.sources.co_visited import CoVisitedSource
from services.recommender.domain.sources.graph import GraphSource
from services.recommender.domain.sources.need import NeedSource
from services.recommender.domain.sources.new_arrivals import NewArrivalsSource
from services.recommender.domain.sources.popular import PopularSource
from services.recommender.domain.sources.similar import SimilarSource
from services.recommender.domain.sources.source import Finds, Source
from services.recommender.domain.sources.trending import TrendingSource
from services.recommender.domain.sources.wish import WishSource

SOURCES: tuple[Source, ...] = (
    NeedSource(), SimilarSource(), CoVisitedSource(), GraphSource(), WishSource(), TrendingSource(), PopularSource(),
    NewArrivalsSource(),
)  # fmt: skip

# What the customer wants leads; what goes with it (λ) comes close where shoppers agree; what everybody does only orders
# what is alike otherwise. The trained sources (factors, item_item, sequence) stand beside them when there are models.
WEIGHTS: Mapping[ReasonKind, float] = MappingProxyType(
    {
        "need": 1.0, "co_visited": 0.6, "similar": 0.4, "graph": 0.3, "wish": 0.3, "trending": 0.2, "popular": 0.1,
        "new_arrival": 0.1, "promoted": 1.0, "sequence": 0.8, "item_item": 0.6, "factors": 0.6,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Blend:
    """The sources that are switched on, and their weights."""

    sources: Sequence[Source] = SOURCES
    weights: Mapping[ReasonKind, float] = field(default_factory=lambda: WEIGHTS)

    def pool(self, situation: Situation) -> Pool:
        """Everything that the sources find."""
        return self.joined({source.name: source.find(situation) for source in self.sources})

    def joined(self, found: Mapping[ReasonKind, Finds]) -> Pool:
        """What several sources found, each product once."""
        return Pool([(kind, self.weights[kind], finds) for kind, finds in found.items()])
