"""Logistic regression that learns from one batch of examples after the other, and a calibration that follows it.

P(y=1|x) = σ(w·x + b). Steps: AdaGrad (Duchi et al. 2011), so that rare features keep learning while common ones settle;
inputs are standardised by running moments (Welford), so that no feature needs a scale of its own.

Calibration: Platt scaling σ(a·z + c) of the score z (Platt 1999), fitted by Newton's method on a fading histogram of
scores that were given before their outcome was known: what is measured is what was served.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.float64]

_STEP, _L2, _EPSILON = 0.1, 1e-4, 1e-8
# Examples a step: with 128 a shop's first thousand visits would be eight steps, and leave the weights near zero.
_STEP_EXAMPLES = 16
# Scores beyond this are certain anyway; bins of 0.25 are finer than any calibration that the counts support.
_MOST_SCORE, _BINS = 8.0, 64
# A thousand outcomes weigh half after a thousand more: the calibration follows the season, not the day.
_HALF_LIFE = 1000.0
# Pulls (a, c) towards (1, 0) as strongly as this many outcomes would.
_PRIOR = 10.0
_NEWTON_STEPS = 20


@dataclass(slots=True)
class OnlineLogistic:
    """For inputs [n, d]. All arrays [d] but the histogram."""

    weights: Rows
    bias: float = 0.0
    squares: Rows = field(default_factory=lambda: np.zeros(0))
    bias_squares: float = 0.0
    count: float = 0.0
    positives: float = 0.0
    mean: Rows = field(default_factory=lambda: np.zeros(0))
    spread: Rows = field(default_factory=lambda: np.zeros(0))
    """Sum of squared deviations."""
    histogram: Rows = field(default_factory=lambda: np.zeros((_BINS, 2)))
    """By score: faded number of negatives and positives."""
    slope: float = 1.0
    shift: float = 0.0

    @classmethod
    def untaught(cls, dimensions: int) -> OnlineLogistic:
        """Knows nothing: says one half to everything."""
        zeros = (np.zeros(dimensions) for _ in range(4))
        weights, squares, mean, spread = zeros
        return cls(weights, squares=squares, mean=mean, spread=spread)

    def scores(self, inputs: Rows) -> Rows:
        """Log-odds before calibration, [n]."""
        found: Rows = self._standard(inputs) @ self.weights + self.bias
        return found

    def probabilities(self, inputs: Rows) -> Rows:
        """Calibrated, [n]."""
        return _sigmoid(self.slope * self.scores(inputs) + self.shift)

    def contributions(self, row: Rows) -> tuple[Rows, float]:
        """What each of `row`'s numbers [d] adds to the calibrated log-odds, [d], and what there is without any."""
        return self.slope * self._standard(row) * self.weights, self.slope * self.bias + self.shift

    def learn(self, inputs: Rows, outcomes: Rows) -> None:
        """Learns from a batch: `inputs` [n, d], `outcomes` [n] of 0 and 1. Scored first, for the calibration."""
        if not len(outcomes):
            return
        if self.count:
            self._note(self.scores(inputs), outcomes)
        self._observe(inputs)
        self.count += len(outcomes)
        self.positives += float(outcomes.sum())
        for start in range(0, len(outcomes), _STEP_EXAMPLES):
            part = slice(start, start + _STEP_EXAMPLES)
            self._step(self._standard(inputs[part]), outcomes[part])

    def _step(self, standard: Rows, outcomes: Rows) -> None:
        errors = _sigmoid(standard @ self.weights + self.bias) - outcomes
        gradient = standard.T @ errors / len(errors) + _L2 * self.weights
        self.squares += gradient**2
        self.weights -= _STEP * gradient / (np.sqrt(self.squares) + _EPSILON)
        slope = float(errors.mean())
        self.bias_squares += slope**2
        self.bias -= _STEP * slope / (self.bias_squares**0.5 + _EPSILON)

    def _observe(self, inputs: Rows) -> None:
        """Chan's parallel form of Welford's update."""
        number, mean = len(inputs), inputs.mean(axis=0)
        delta, total = mean - self.mean, self.count + number
        self.spread += ((inputs - mean) ** 2).sum(axis=0) + delta**2 * self.count * number / total
        self.mean += delta * number / total

    def _standard(self, inputs: Rows) -> Rows:
        deviation = np.sqrt(self.spread / max(self.count, 1.0))
        found: Rows = np.clip((inputs - self.mean) / np.where(deviation > _EPSILON, deviation, 1.0), -5, 5)
        return found

    def _note(self, scores: Rows, outcomes: Rows) -> None:
        self.histogram *= 2.0 ** (-len(outcomes) / _HALF_LIFE)
        np.add.at(self.histogram, (_bins(scores), outcomes.astype(np.int64)), 1.0)
        self.slope, self.shift = _platt(self.histogram)


def _bins(scores: Rows) -> npt.NDArray[np.int64]:
    share = (np.clip(scores, -_MOST_SCORE, _MOST_SCORE) + _MOST_SCORE) / (2 * _MOST_SCORE)
    return np.minimum((share * _BINS).astype(np.int64), _BINS - 1)


def _platt(histogram: Rows) -> tuple[float, float]:
    """Slope and shift with a normal prior around (1, 0), by Newton's method; steps are halved until they help, since
    full ones run away where scores are far too sure.
    """
    centres = (np.arange(_BINS) + 0.5) * 2 * _MOST_SCORE / _BINS - _MOST_SCORE
    total, positives = histogram.sum(axis=1), histogram[:, 1]
    inputs = np.stack([centres, np.ones(_BINS)], axis=1)
    prior = found = np.array([1.0, 0.0])

    def loss(at: Rows) -> float:
        scores = inputs @ at
        return float(
            (total * np.logaddexp(0, scores) - positives * scores).sum() + _PRIOR * ((at - prior) ** 2).sum() / 2
        )

    for _ in range(_NEWTON_STEPS):
        expected = _sigmoid(inputs @ found)
        gradient = inputs.T @ (total * expected - positives) + _PRIOR * (found - prior)
        curvature = inputs.T @ (inputs * (total * expected * (1 - expected))[:, None]) + _PRIOR * np.eye(2)
        step, now = np.linalg.solve(curvature, gradient), loss(found)
        while loss(found - step) > now and np.abs(step).max() > _EPSILON:
            step = step / 2
        found = found - step
    # A negative slope would turn the ranking round: that is noise of the first outcomes, not calibration.
    return max(0.05, float(found[0])), float(found[1])


def _sigmoid(scores: Rows) -> Rows:
    found: Rows = 1.0 / (1.0 + np.exp(-np.clip(scores, -30, 30)))
    return found
