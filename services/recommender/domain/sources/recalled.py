"""What a source found that had to be asked, such as a model on the worker."""

from __future__ import annotations

import numpy as np

from rapport.events.recommendations import ReasonKind, Strategy
from services.recommender.domain.situation import Situation
from services.recommender.domain.sources.source import Evidence, Finds


class RecalledSource:
    """Asked before by a `Recaller` of the same name; the customer's last product stands for what it rests on."""

    def __init__(self, name: ReasonKind, strategy: Strategy) -> None:
        self.name: ReasonKind = name
        self.strategy: Strategy = strategy

    def find(self, situation: Situation) -> Finds:
        last, found = next(iter(situation.recent), ""), situation.recalled.get(self.name, ())
        evidence = Evidence(self.name, last, notable=bool(last), looked_at=True)
        scores = np.array([score for _, score in found])
        return Finds([product_id for product_id, _ in found], scores, lambda _: evidence)
