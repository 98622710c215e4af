"""Products that do well over a season."""

from __future__ import annotations

from collections.abc import Iterable

from rapport.events.recommendations import ReasonKind, Strategy
from services.recommender.domain.decay import POPULAR
from services.recommender.domain.situation import Situation
from services.recommender.domain.sources.source import Evidence, Found

# Looks from which a product may be called popular; a purchase counts as four. Five that have begun to fade.
_POPULAR_FROM = 4.5


class PopularSource:
    name: ReasonKind = "popular"
    strategy: Strategy = "popular"

    def find(self, situation: Situation) -> Iterable[Found]:
        """Measured at the newest event's time rather than now: a shop that was closed for a year, or a replayed
        history, has its favourites all the same."""
        boards = situation.boards
        top = boards.popular[0][1] if boards.popular else 0.0
        for product_id, mark in boards.popular:
            notable = POPULAR.worth(mark, boards.clock_ms) >= _POPULAR_FROM
            yield Found(product_id, 2.0 ** (mark - top), Evidence("popular", notable=notable))
