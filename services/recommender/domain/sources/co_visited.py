"""Products that others looked at, or bought, together with what the customer looked at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rapport.events.recommendations import ReasonKind, Strategy
from services.recommender.domain.decay import CO_VISITS
from services.recommender.domain.looks import shopper_number
from services.recommender.domain.situation import Situation, Tie
from services.recommender.domain.sources.source import Evidence, Finds, together

# What the customer looked at before the last product tells less of what they want now, each time by this factor.
_OLDER = 0.8
# The strongest ties of a product that are looked at.
_STRONGEST = 30
# Visits in which two products came together until the tie counts by half: one may be chance.
_HALF_AT = 3.0


class CoVisitedSource:
    name: ReasonKind = "co_visited"
    strategy: Strategy = "co_visited"

    def find(self, situation: Situation) -> Finds:
        # Nobody known: zero is no one's number but for one in 2^48.
        shopper = shopper_number(situation.customer_id) if situation.customer_id else 0
        clock = situation.boards.clock_ms
        return together(
            [
                tied(seed, situation.ties.get(seed, ())[:_STRONGEST], clock, shopper, _OLDER**age)
                for age, seed in enumerate(situation.recent)
            ]
        )


def tied(product_id: str, ties: Sequence[Tie], at_ms: int, shopper: int = 0, share: float = 1.0) -> Finds:
    """What is tied to a product. `shopper` is who asks: their own visits are no news to them."""

    def evidence(at: int) -> Evidence:
        tie = ties[at]
        buyers = len(tie.bought) - (shopper in tie.bought)
        others = buyers or len(tie.looked) - (shopper in tie.looked)
        return Evidence("co_visited", product_id, others > 0, others, bought=buyers > 0)

    worth = CO_VISITS.worths(np.array([tie.mark for tie in ties]), at_ms)
    return Finds([tie.product_id for tie in ties], share * worth / (worth + _HALF_AT), evidence)
