"""Which type of customer writes like this, by the shop's own classifier."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from services.profiler.adapters.moods import Classifier
from services.profiler.adapters.promoted_task import NOTHING, PromotedTask

TASK = "customer-type-texts"


class ClassifiedVoices:
    """`Voices`."""

    def __init__(self, classifier: Classifier) -> None:
        self._task = PromotedTask(TASK, classifier)

    async def told(self, texts: Collection[str]) -> dict[str, Mapping[str, float]]:
        asked = list(texts)
        answer = await self._task.ask(asked)
        if answer is None:
            return {}
        labels = ["" if label.lower() in NOTHING else label for label in answer.labels]
        rows = answer.probabilities.tolist()
        return {text: dict(zip(labels, row, strict=True)) for text, row in zip(asked, rows, strict=True)}
