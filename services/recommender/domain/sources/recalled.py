"""What a source found that had to be asked, such as a model on the worker."""

from __future__ import annotations

from collections.abc import Iterable

from rapport.events.recommendations import ReasonKind, Strategy
from services.recommender.domain.situation import Situation
from services.recommender.domain.sources.source import Evidence, Found


class RecalledSource:
    """Asked before by a `Recaller` of the same name; the customer's last product stands for what it rests on."""

    def __init__(self, name: ReasonKind, strategy: Strategy) -> None:
        self.name: ReasonKind = name
        self.strategy: Strategy = strategy

    def find(self, situation: Situation) -> Iterable[Found]:
        last = next(iter(situation.recent), "")
        for product_id, score in situation.recalled.get(self.name, ()):
            yield Found(product_id, score, Evidence(self.name, last, notable=bool(last), looked_at=True))
