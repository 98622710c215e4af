"""Products that fit what the language model believes this customer would want next."""

from __future__ import annotations

from collections.abc import Iterable

from rapport.events.recommendations import ReasonKind, Strategy
from services.recommender.domain.relevance import score
from services.recommender.domain.situation import Situation
from services.recommender.domain.sources.source import Evidence, Found


class WishSource:
    name: ReasonKind = "wish"
    strategy: Strategy = "personalised"

    def find(self, situation: Situation) -> Iterable[Found]:
        best: dict[str, Found] = {}
        known = situation.looked_at | situation.bought
        for wish in situation.wishes:
            for product_id, above, notable in wish.near.standing_out(known):
                if product_id not in best or best[product_id].score < score(above):
                    best[product_id] = Found(product_id, score(above), Evidence("wish", wish.text, notable))
        return best.values()
