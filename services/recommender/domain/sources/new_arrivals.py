"""Products that came into the shop lately: nobody has looked at them yet, so no other source but needs knows them."""

from __future__ import annotations

from itertools import islice

import numpy as np

from rapport.events.recommendations import ReasonKind, Strategy
from services.recommender.domain.situation import Situation
from services.recommender.domain.sources.source import Evidence, Finds

NEW_FOR_MS = 14 * 86_400_000
# The newest are enough to choose from.
_MOST = 50


class NewArrivalsSource:
    name: ReasonKind = "new_arrival"
    strategy: Strategy = "catalogue"

    def find(self, situation: Situation) -> Finds:
        newest = list(islice(situation.catalogue.arrivals(situation.now_ms - NEW_FOR_MS), _MOST))
        ages = np.array([max(0, situation.now_ms - at) for _, at in newest], np.float64)
        return Finds(
            [product.product_id for product, _ in newest],
            1.0 - ages / NEW_FOR_MS,
            lambda at: Evidence("new_arrival", at_ms=newest[at][1]),
        )
