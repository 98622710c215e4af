"""Who puts the candidates in order: fixed weights, or a trained model that answers, with others scored beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from services.recommender.domain.blend import Candidate, ordered
from services.recommender.domain.features import Matrix, feature_matrix
from services.recommender.domain.situation import Situation

# Candidates that a model is given: what fixed weights put behind them is not among the ten that are shown.
MOST_RANKED = 300


class Ranker(Protocol):
    """A trained model."""

    name: str
    """name@version"""

    def score(self, features: Matrix) -> npt.NDArray[np.floating]:
        """[n, features] → [n], on any scale, higher is better."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """Which models serve a customer."""

    shown: Ranker | None = None
    """None: fixed weights."""
    shadow: tuple[Ranker, ...] = ()
    """Scored and recorded, never shown."""
    experiment: str = ""
    variation: str = ""


class Rankers(Protocol):
    """Knows the models that are promoted, and the experiments that run."""

    def of(self, tenant: str, customer_id: str) -> Assignment: ...


class FixedWeights:
    """No models."""

    def of(self, tenant: str, customer_id: str) -> Assignment:  # noqa: ARG002
        return FIXED


FIXED = Assignment()


@dataclass(frozen=True, slots=True)
class Ranked:
    """Candidates in order, with what the models said of the first `MOST_RANKED`."""

    candidates: Sequence[Candidate]
    assignment: Assignment = FIXED
    shadow_scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By model, then by product."""


def ranked(candidates: Sequence[Candidate], situation: Situation, assignment: Assignment) -> Ranked:
    """In the model's order, if there is one. Scores become 0 to 1, so that they compare with each other."""
    if assignment.shown is None and not assignment.shadow:
        return Ranked(candidates, assignment)
    head = candidates[:MOST_RANKED]
    features = feature_matrix(head, situation)
    shadow = {model.name: _by_product(head, model.score(features)) for model in assignment.shadow}
    if assignment.shown is None or not head:
        return Ranked(candidates, assignment, shadow)
    scores = 1.0 / (1.0 + np.exp(-np.clip(assignment.shown.score(features), -30.0, 30.0)))
    for candidate, score in zip(head, scores, strict=True):
        candidate.score = float(score)
    # What the model has not seen stays behind what it has.
    floor = float(scores.min())
    for candidate in candidates[MOST_RANKED:]:
        candidate.score = min(candidate.score, 1.0) * floor
    return Ranked(ordered(candidates), assignment, shadow)


def _by_product(candidates: Sequence[Candidate], scores: npt.NDArray[np.floating]) -> dict[str, float]:
    return {candidate.product_id: float(score) for candidate, score in zip(candidates, scores, strict=True)}
