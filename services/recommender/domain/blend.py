"""f(u, p) = sim(r_u, e_p) + λ·rel(p, G), and the weaker signals: one score from many sources, by fixed weights.

sim is the need source (with the product looked at last as a need of the moment), rel(p, G) the product graph and what
shoppers looked at together. A learned ranker puts the best of them in its own order, where there is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from types import MappingProxyType

from rapport.events.recommendations import ReasonKind
from services.recommender.domain.situation import Situation
from services.recommender.domain.sources.co_visited import CoVisitedSource
from services.recommender.domain.sources.graph import GraphSource
from services.recommender.domain.sources.need import NeedSource
from services.recommender.domain.sources.new_arrivals import NewArrivalsSource
from services.recommender.domain.sources.popular import PopularSource
from services.recommender.domain.sources.similar import SimilarSource
from services.recommender.domain.sources.source import Found, Source
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


@dataclass(slots=True)
class Candidate:
    """A product with what each source says of it."""

    product_id: str
    found: dict[ReasonKind, Found] = field(default_factory=dict)
    score: float = 0.0
    parts: dict[ReasonKind, float] = field(default_factory=dict)
    """What each source adds to the score of the fixed weights."""
    propensity: float = 1.0
    """Probability that it stands at its place in the answer."""

    def add(self, found: Found, weight: float) -> None:
        """What one more source says; each speaks once."""
        kind = found.evidence.kind
        self.found[kind] = found
        self.parts[kind] = weight * found.score
        self.score += weight * found.score

    def shares(self) -> list[tuple[Found, float]]:
        """Each source's find with its share of the fixed score, the heaviest first."""
        total = sum(self.parts.values()) or 1.0
        shares = [(found, self.parts[kind] / total) for kind, found in self.found.items()]
        return sorted(shares, key=lambda pair: -pair[1])


@dataclass(frozen=True, slots=True)
class Blend:
    """The sources that are switched on, and their weights."""

    sources: Sequence[Source] = SOURCES
    weights: Mapping[ReasonKind, float] = field(default_factory=lambda: WEIGHTS)

    def candidates(self, situation: Situation) -> list[Candidate]:
        """Everything that the sources find, the best first."""
        return self.joined(*(source.find(situation) for source in self.sources))

    def joined(self, *finds: Iterable[Found]) -> list[Candidate]:
        """What several sources found, each product once, the best first."""
        merged: dict[str, Candidate] = {}
        for found in chain.from_iterable(finds):
            candidate = merged.get(found.product_id)
            if candidate is None:
                candidate = merged[found.product_id] = Candidate(found.product_id)
            candidate.add(found, self.weights[found.evidence.kind])
        return ordered(merged.values())


def ordered(found: Iterable[Candidate]) -> list[Candidate]:
    """By score; equal scores by id, so that an answer can be repeated."""
    return sorted(found, key=lambda candidate: (-candidate.score, candidate.product_id))
