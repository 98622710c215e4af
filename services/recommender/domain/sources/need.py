"""sim(r_u, e_p): products that serve what the customer needs now."""

from __future__ import annotations

import math
from collections.abc import Iterable

from rapport.events.recommendations import ReasonKind, Strategy
from services.recommender.domain.relevance import score
from services.recommender.domain.situation import Situation
from services.recommender.domain.sources.source import Evidence, Found


class NeedSource:
    name: ReasonKind = "need"
    strategy: Strategy = "personalised"

    def find(self, situation: Situation) -> Iterable[Found]:
        strongest = max((need.strength for need in situation.needs), default=0.0) or 1.0
        known = situation.looked_at | situation.bought
        best: dict[str, Found] = {}
        for need in situation.needs:
            # The root keeps a second interest in the list: at a quarter of the strength it still counts by half.
            share = math.sqrt(need.strength / strongest)
            for product_id, above, notable in need.near.standing_out(known):
                value = share * score(above)
                if product_id not in best or best[product_id].score < value:
                    best[product_id] = Found(product_id, value, Evidence("need", need.label, notable))
        return best.values()
