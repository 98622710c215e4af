"""Products that do well over a season."""

from __future__ import annotations

import numpy as np

from rapport.events.recommendations import ReasonKind, Strategy
from services.recommender.domain.decay import POPULAR
from services.recommender.domain.situation import Situation
from services.recommender.domain.sources.source import NOTHING, Evidence, Finds

# Looks from which a product may be called popular; a purchase counts as four. Five that have begun to fade.
_POPULAR_FROM = 4.5


class PopularSource:
    name: ReasonKind = "popular"
    strategy: Strategy = "popular"

    def find(self, situation: Situation) -> Finds:
        """Measured at the newest event's time rather than now: a shop that was closed for a year, or a replayed
        history, has its favourites all the same. What is sent back or reviewed badly counts against a product."""
        product_ids, marks = situation.boards.popular_columns
        if not product_ids:
            return NOTHING
        refused = situation.statistics.refused
        worth = POPULAR.worths(marks, situation.boards.clock_ms)
        top = float(worth[0])
        if refused:
            worth = worth - np.array([refused.get(product_id, 0.0) for product_id in product_ids])
        liked = np.flatnonzero(worth > 0) if top > 0 else np.empty(0, np.intp)
        worth = worth[liked]
        return Finds(
            [product_ids[at] for at in liked.tolist()],
            worth / top,
            lambda at: Evidence("popular", notable=bool(worth[at] >= _POPULAR_FROM)),
        )
