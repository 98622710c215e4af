"""Products that resemble the one looked at last."""

from __future__ import annotations

from rapport.events.recommendations import ReasonKind, Strategy
from services.recommender.domain.situation import Near, Situation
from services.recommender.domain.sources.source import NOTHING, Finds, standing_out


class SimilarSource:
    name: ReasonKind = "similar"
    strategy: Strategy = "personalised"

    def find(self, situation: Situation) -> Finds:
        if situation.similar is None or not situation.recent:
            return NOTHING
        return resembling(situation.recent[0], situation.similar, looked_at=True)


def resembling(product_id: str, near: Near, *, looked_at: bool) -> Finds:
    """What `near` holds beside the product itself."""
    return standing_out("similar", product_id, near.without(product_id), (), looked_at=looked_at)
