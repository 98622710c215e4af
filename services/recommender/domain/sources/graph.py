"""rel(p, G): products near those that the customer looked at, over brands, categories, attributes and behaviour."""

from __future__ import annotations

from rapport.events.recommendations import ReasonKind, Strategy
from services.recommender.domain.situation import Situation
from services.recommender.domain.sources.source import Evidence, Finds

# What the customer looked at before the last product tells less of what they want now, each time by this factor.
_OLDER = 0.8


class GraphSource:
    name: ReasonKind = "graph"
    strategy: Strategy = "graph"

    def find(self, situation: Situation) -> Finds:
        seeds = {seed: _OLDER**age for age, seed in enumerate(situation.recent)}
        related = situation.graph.related(seeds, situation.fetch)
        return Finds(related.product_ids, related.scores, lambda at: Evidence("graph", path=related.path(at)))
