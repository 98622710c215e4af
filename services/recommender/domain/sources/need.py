"""sim(r_u, e_p): products that serve what the customer needs now."""

from __future__ import annotations

import math

from rapport.events.recommendations import ReasonKind, Strategy
from services.recommender.domain.situation import Situation
from services.recommender.domain.sources.source import Finds, standing_out, together


class NeedSource:
    name: ReasonKind = "need"
    strategy: Strategy = "personalised"

    def find(self, situation: Situation) -> Finds:
        strongest = max((need.strength for need in situation.needs), default=0.0) or 1.0
        known = situation.looked_at | situation.bought
        # The root keeps a second interest in the list: at a quarter of the strength it still counts by half.
        return together(
            [
                standing_out("need", need.label, need.near, known, math.sqrt(need.strength / strongest))
                for need in situation.needs
            ]
        )
