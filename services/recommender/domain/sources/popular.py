"""Products that do well over a season."""

from __future__ import annotations

from collections.abc import Iterable

from rapport.events.recommendations import ReasonKind, Strategy
from services.recommender.domain.decay import POPULAR
from services.recommender.domain.situation import Situation
from services.recommender.domain.sources.source import Evidence, Found

# Looks from which a product may be called popular; a purchase counts as four. Five that have begun to fade.
_POPULAR_FROM = 4.5
_NOTABLE, _QUIET = Evidence("popular"), Evidence("popular", notable=False)


class PopularSource:
    name: ReasonKind = "popular"
    strategy: Strategy = "popular"

    def find(self, situation: Situation) -> Iterable[Found]:
        """Measured at the newest event's time rather than now: a shop that was closed for a year, or a replayed
        history, has its favourites all the same. What is sent back or reviewed badly counts against a product."""
        boards, refused = situation.boards, situation.statistics.refused
        top = POPULAR.worth(boards.popular[0][1], boards.clock_ms) if boards.popular else 0.0
        for product_id, mark in boards.popular:
            worth = POPULAR.worth(mark, boards.clock_ms) - refused.get(product_id, 0.0)
            if worth > 0 and top > 0:
                yield Found(product_id, worth / top, _NOTABLE if worth >= _POPULAR_FROM else _QUIET)
