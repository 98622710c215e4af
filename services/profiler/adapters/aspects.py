"""Which aspects reviews and chats speak of: by the shop's own classifier where one is promoted, else by words."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping

from rapport.ops.errors import NotFound
from services.profiler.adapters.moods import Classifier
from services.profiler.domain.aspects import aspects_of, clauses_of, gathered

TASK = "aspects"

# Labels that shops give to clauses which speak of nothing in particular.
_NOTHING = frozenset({"", "none", "other", "nothing"})
# A label less likely than this is a guess.
_SURE = 0.5
# Seconds for which a worker without such a classifier is not asked again: as late is a promotion noticed.
_ASK_AGAIN_S = 30.0


class ClassifiedAspects:
    """`Aspects`."""

    def __init__(self, classifier: Classifier, clock: Callable[[], float] = time.monotonic) -> None:
        self._classifier, self._clock = classifier, clock
        self._by_words_until = float("-inf")

    async def told(self, texts: Collection[str]) -> dict[str, Mapping[str, str]]:
        clauses = {text: clauses_of(text) for text in texts}
        asked = list(dict.fromkeys(clause for each in clauses.values() for clause in each))
        known = await self._known(asked) if asked else {}
        if known is None:
            return {text: aspects_of(text) for text in texts}
        return {text: gathered((clause, known[clause]) for clause in each) for text, each in clauses.items()}

    async def _known(self, clauses: list[str]) -> dict[str, Collection[str]] | None:
        """The aspects of each clause; None while no classifier of them is promoted."""
        if self._clock() < self._by_words_until:
            return None
        try:
            answer = await self._classifier.classify(TASK, clauses)
        except NotFound:
            self._by_words_until = self._clock() + _ASK_AGAIN_S
            return None
        return {
            clause: [
                label
                for label, share in zip(answer.labels, row, strict=True)
                if share >= _SURE and label.lower() not in _NOTHING
            ]
            for clause, row in zip(clauses, answer.probabilities.tolist(), strict=True)
        }
