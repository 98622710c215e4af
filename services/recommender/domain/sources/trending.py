"""Products that more shoppers look at than usual, right now."""

from __future__ import annotations

from collections.abc import Iterable

from rapport.events.recommendations import ReasonKind, Strategy
from services.recommender.domain.decay import TRENDING
from services.recommender.domain.situation import Boards, Situation
from services.recommender.domain.sources.source import Evidence, Found

# A look of six hours ago is worth this. What is worth less is yesterday's.
_FEWEST = 0.5
# A crowd begins at two.
_CROWD = 2


class TrendingSource:
    name: ReasonKind = "trending"
    strategy: Strategy = "trending"

    def find(self, situation: Situation) -> Iterable[Found]:
        return trends(situation.boards, situation.now_ms)


def trends(boards: Boards, now_ms: int) -> list[Found]:
    """The trending board as candidates, the hottest first with score 1."""
    found: list[Found] = []
    top = boards.trending[0][1] if boards.trending else 0.0
    for product_id, mark in boards.trending:
        if TRENDING.worth(mark, now_ms) < _FEWEST:
            break
        shoppers = boards.shoppers_today.get(product_id, 0)
        evidence = Evidence("trending", notable=shoppers >= _CROWD, shoppers=shoppers)
        found.append(Found(product_id, 2.0 ** (mark - top), evidence))
    return found
