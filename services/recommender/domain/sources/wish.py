"""Products that fit what the language model believes this customer would want next."""

from __future__ import annotations

from rapport.events.recommendations import ReasonKind, Strategy
from services.recommender.domain.situation import Situation
from services.recommender.domain.sources.source import Finds, standing_out, together


class WishSource:
    name: ReasonKind = "wish"
    strategy: Strategy = "personalised"

    def find(self, situation: Situation) -> Finds:
        known = situation.looked_at | situation.bought
        return together([standing_out("wish", wish.text, wish.near, known) for wish in situation.wishes])
