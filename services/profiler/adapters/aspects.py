"""Which aspects reviews and chats speak of: by the shop's own classifier where one is promoted, else by words."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping

from services.profiler.adapters.moods import Classifier
from services.profiler.adapters.promoted_task import NOTHING, PromotedTask
from services.profiler.domain.aspects import aspects_of, clauses_of, gathered

TASK = "aspects"

# A label less likely than this is a guess.
_SURE = 0.5


class ClassifiedAspects:
    """`Aspects`."""

    def __init__(self, classifier: Classifier, clock: Callable[[], float] = time.monotonic) -> None:
        self._task = PromotedTask(TASK, classifier, clock)

    async def told(self, texts: Collection[str]) -> dict[str, Mapping[str, str]]:
        clauses = {text: clauses_of(text) for text in texts}
        asked = list(dict.fromkeys(clause for each in clauses.values() for clause in each))
        known = await self._known(asked)
        if known is None:
            return {text: aspects_of(text) for text in texts}
        return {text: gathered((clause, known[clause]) for clause in each) for text, each in clauses.items()}

    async def _known(self, clauses: list[str]) -> dict[str, Collection[str]] | None:
        """The aspects of each clause; None while no classifier of them is promoted."""
        answer = await self._task.ask(clauses)
        if answer is None:
            return None
        return {
            clause: [
                label
                for label, share in zip(answer.labels, row, strict=True)
                if share >= _SURE and label.lower() not in NOTHING
            ]
            for clause, row in zip(clauses, answer.probabilities.tolist(), strict=True)
        }
