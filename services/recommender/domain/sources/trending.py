"""Products that more shoppers look at than usual, right now."""

from __future__ import annotations

import numpy as np

from rapport.events.recommendations import ReasonKind, Strategy
from services.recommender.domain.decay import TRENDING
from services.recommender.domain.situation import Boards, Situation
from services.recommender.domain.sources.source import NOTHING, Evidence, Finds

# A look of six hours ago is worth this. What is worth less is yesterday's.
_FEWEST = 0.5
# A crowd begins at two.
_CROWD = 2


class TrendingSource:
    name: ReasonKind = "trending"
    strategy: Strategy = "trending"

    def find(self, situation: Situation) -> Finds:
        return trends(situation.boards, situation.now_ms)


def trends(boards: Boards, now_ms: int) -> Finds:
    """The trending board as candidates, the hottest first with score 1."""
    product_ids, marks = boards.trending_columns
    hot = int(np.count_nonzero(TRENDING.worths(marks, now_ms) >= _FEWEST))
    if not hot:
        return NOTHING

    def evidence(at: int) -> Evidence:
        shoppers = boards.shoppers_today.get(product_ids[at], 0)
        return Evidence("trending", notable=shoppers >= _CROWD, shoppers=shoppers)

    return Finds(product_ids[:hot], np.exp2(marks[:hot] - marks[0]), evidence)
