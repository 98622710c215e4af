"""A task of the worker's classifiers that is served once a shop has promoted a classifier of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from rapport.ops.errors import NotFound
from services.profiler.adapters.moods import Classified, Classifier

# Labels that shops give to texts which speak of nothing in particular.
NOTHING = frozenset({"", "none", "other", "nothing"})
# Seconds for which a worker without such a classifier is not asked again: as late is a promotion noticed.
_ASK_AGAIN_S = 30.0


class PromotedTask:
    """Asks for one task."""

    def __init__(self, task: str, classifier: Classifier, clock: Callable[[], float] = time.monotonic) -> None:
        self._task, self._classifier, self._clock = task, classifier, clock
        self._missing_until = float("-inf")

    async def ask(self, texts: Sequence[str]) -> Classified | None:
        """None while no classifier is promoted. Raises `RetryableError` when the worker does not answer."""
        if not texts or self._clock() < self._missing_until:
            return None
        try:
            return await self._classifier.classify(self._task, texts)
        except NotFound:
            self._missing_until = self._clock() + _ASK_AGAIN_S
            return None
