"""From scores to probabilities that hold: temperature scaling (Guo et al. 2017, "On calibration of modern neural
networks").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.floating[Any]]
Truth = npt.NDArray[np.bool_]

# Temperatures looked at: e^-2 to e^2. Beyond them probabilities are all alike, or all 0 and 1.
_BOUNDS = (-2.0, 2.0)
# Probabilities are never taken as smaller: one that is 0 would be infinitely surprising.
_LEAST = 1e-12


def softmax(scores: Scores) -> Scores:
    """Rows sum to 1."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def sigmoid(scores: Scores) -> Scores:
    """Each number by itself."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * scores)))


def temperature(scores: Scores, truth: Truth, *, independent: bool = False) -> float:
    """What to divide `scores` [examples, labels] of unseen examples by so that their `truth` (same shape) is likeliest.

    `independent`: labels by themselves (sigmoid) rather than one of all (softmax).
    """

    def surprise(divisor: float) -> float:
        said = sigmoid(np.where(truth, scores, -scores) / divisor) if independent else softmax(scores / divisor)[truth]
        return -float(np.log(np.maximum(said, _LEAST)).mean())

    return _likeliest(surprise)


def _likeliest(surprise: Callable[[float], float]) -> float:
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(lambda log: surprise(float(np.exp(log))), bounds=_BOUNDS, method="bounded")
    return float(np.exp(found.x))
