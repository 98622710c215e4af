"""Who puts the candidates in order: fixed weights, or a trained model that answers, with others scored beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from services.recommender.domain.features import Matrix, feature_matrix
from services.recommender.domain.pool import Places, Pool
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


Shadow = Mapping[str, Mapping[str, float]]
"""What models said that are not shown: by model, then by product."""


def rank_all(asked: Sequence[tuple[Pool, Situation, Assignment]]) -> list[Shadow]:
    """Puts the first `MOST_RANKED` candidates of each answer in its model's order, where there is one: their scores
    become 0 to 1, so that they compare with each other. Each model is called once."""
    shadows: list[dict[str, Mapping[str, float]]] = [{} for _ in asked]
    heads: dict[int, Places] = {}
    features: dict[int, Matrix] = {}
    for at, (pool, situation, assignment) in enumerate(asked):
        if _rankers_of(assignment) and pool.product_ids:
            heads[at] = pool.best()[:MOST_RANKED]
            features[at] = feature_matrix(pool, heads[at], situation)
    for ranker in {id(ranker): ranker for at in features for ranker in _rankers_of(asked[at][2])}.values():
        numbers = [at for at in features if ranker in _rankers_of(asked[at][2])]
        scores = ranker.score(np.concatenate([features[at] for at in numbers]))
        ends = np.cumsum([len(heads[at]) for at in numbers])
        for at, said in zip(numbers, np.split(scores, ends[:-1]), strict=True):
            pool, _, assignment = asked[at]
            if ranker in assignment.shadow:
                product_ids = (pool.product_ids[place] for place in heads[at].tolist())
                shadows[at][ranker.name] = dict(zip(product_ids, said.tolist(), strict=True))
            if ranker is assignment.shown:
                _reorder(pool, heads[at], said)
    return list(shadows)


def _rankers_of(assignment: Assignment) -> tuple[Ranker, ...]:
    return (assignment.shown, *assignment.shadow) if assignment.shown else assignment.shadow


def _reorder(pool: Pool, head: Places, said: npt.NDArray[np.floating]) -> None:
    scores = 1.0 / (1.0 + np.exp(-np.clip(said, -30.0, 30.0)))
    # What the model has not seen stays behind what it has.
    pool.scores = np.minimum(pool.scores, 1.0) * float(scores.min())
    pool.scores[head] = scores
