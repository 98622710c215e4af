"""The worker's sentiment classifier as one number a text."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt


class Classified(Protocol):
    """What `ClassifierClient` answers here: probabilities [texts, labels]."""

    @property
    def labels(self) -> tuple[str, ...]: ...
    @property
    def probabilities(self) -> npt.NDArray[np.float32]: ...


class Classifier(Protocol):
    """What `ClassifierClient` is here."""

    async def classify(self, task: str, texts: Sequence[str]) -> Classified: ...


class ClassifiedMoods:
    """`Moods`: P(positive) - P(negative)."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier

    async def score(self, texts: Collection[str]) -> dict[str, float]:
        asked = list(texts)
        answer = await self._classifier.classify("sentiment", asked)
        signs = np.array([{"positive": 1.0, "negative": -1.0}.get(label, 0.0) for label in answer.labels])
        scores = np.clip(answer.probabilities @ signs, -1, 1)
        return {text: float(score) for text, score in zip(asked, scores, strict=True)}
