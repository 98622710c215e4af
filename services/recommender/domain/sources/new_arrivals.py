"""Products that came into the shop lately: nobody has looked at them yet, so no other source but needs knows them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from rapport.events.recommendations import ReasonKind, Strategy
from services.recommender.domain.situation import Situation
from services.recommender.domain.sources.source import Evidence, Found

NEW_FOR_MS = 14 * 86_400_000
# The newest are enough to choose from.
_MOST = 50


class NewArrivalsSource:
    name: ReasonKind = "new_arrival"
    strategy: Strategy = "catalogue"

    def find(self, situation: Situation) -> Iterable[Found]:
        arrivals = situation.catalogue.arrivals(situation.now_ms - NEW_FOR_MS)
        for product, at in islice(arrivals, _MOST):
            age = max(0, situation.now_ms - at)
            yield Found(product.product_id, 1.0 - age / NEW_FOR_MS, Evidence("new_arrival", at_ms=at))
