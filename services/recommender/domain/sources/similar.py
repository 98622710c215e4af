"""Products that resemble the one looked at last."""

from __future__ import annotations

from collections.abc import Iterable

from rapport.events.recommendations import ReasonKind, Strategy
from services.recommender.domain.relevance import score
from services.recommender.domain.situation import Near, Situation
from services.recommender.domain.sources.source import Evidence, Found


class SimilarSource:
    name: ReasonKind = "similar"
    strategy: Strategy = "personalised"

    def find(self, situation: Situation) -> Iterable[Found]:
        if situation.similar is None or not situation.recent:
            return ()
        return resembling(situation.recent[0], situation.similar, looked_at=True)


def resembling(product_id: str, near: Near, *, looked_at: bool) -> list[Found]:
    """What `near` holds beside the product itself."""
    return [
        Found(other, score(above), Evidence("similar", product_id, notable, looked_at=looked_at))
        for other, above, notable in near.standing_out({product_id})
        if other != product_id
    ]
