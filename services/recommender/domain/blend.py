"""f(u, p) = sim(r_u, e_p) + λ·rel(p, G), and the weaker signals: one score from many sources, by fixed weights.

sim is the need source (with the product looked at last as a need of the moment), rel(p, G) the co-visitation graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from types import MappingProxyType

from rapport.events.recommendations import ReasonKind
from services.recommender.domain.situation import Situation
from services.recommender.domain.sources.co_visited import CoVisitedSource
from services.recommender.domain.sources.need import NeedSource
from services.recommender.domain.sources.new_arrivals import NewArrivalsSource
from services.recommender.domain.sources.popular import PopularSource
from services.recommender.domain.sources.similar import SimilarSource
from services.recommender.domain.sources.source import Found, Source
from services.recommender.domain.sources.trending import TrendingSource

SOURCES: tuple[Source, ...] = (
    NeedSource(), SimilarSource(), CoVisitedSource(), TrendingSource(), PopularSource(), NewArrivalsSource(),
)  # fmt: skip

# What the customer wants leads; what goes with it (λ) comes close where shoppers agree; what everybody does only orders
# what is alike otherwise. Fixed until a model is trained on impressions and clicks.
WEIGHTS: Mapping[ReasonKind, float] = MappingProxyType(
    {"need": 1.0, "co_visited": 0.6, "similar": 0.4, "trending": 0.2, "popular": 0.1, "new_arrival": 0.1}
)


@dataclass(slots=True)
class Candidate:
    """A product with what each source says of it."""

    product_id: str
    found: dict[ReasonKind, Found] = field(default_factory=dict)
    score: float = 0.0

    def add(self, found: Found) -> None:
        """What one more source says; each speaks once."""
        self.found[found.evidence.kind] = found
        self.score += WEIGHTS[found.evidence.kind] * found.score

    def shares(self) -> list[tuple[Found, float]]:
        """Each source's find with its share of the score, the heaviest first."""
        total = self.score or 1.0
        shares = [(found, WEIGHTS[kind] * found.score / total) for kind, found in self.found.items()]
        return sorted(shares, key=lambda pair: -pair[1])


def candidates(situation: Situation, sources: Sequence[Source] = SOURCES) -> list[Candidate]:
    """Everything that the sources find, the best first."""
    return blended(*(source.find(situation) for source in sources))


def blended(*finds: Iterable[Found]) -> list[Candidate]:
    """What several sources found, each product once, the best first."""
    merged: dict[str, Candidate] = {}
    for found in chain.from_iterable(finds):
        candidate = merged.get(found.product_id)
        if candidate is None:
            candidate = merged[found.product_id] = Candidate(found.product_id)
        candidate.add(found)
    return ordered(merged.values())


def ordered(found: Iterable[Candidate]) -> list[Candidate]:
    """By score; equal scores by id, so that an answer can be repeated."""
    return sorted(found, key=lambda candidate: (-candidate.score, candidate.product_id))
