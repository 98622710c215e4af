"""Thompson sampling over Beta posteriors, as weights: a variation's weight is its chance of being the best.

Giving each new customer a variation with that chance is Thompson sampling (Thompson 1933; Chapelle and Li, NIPS
2011); as weights it goes through the same hash as a fixed split, and a customer keeps what they got. No library is
used for it: the state must follow from the counts on Kafka alone, with decay, floors and pooling, which leaves two
calls of numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.content.domain.experiments.tally import Counts

# Draws from the posteriors: the standard error of a weight is below 0.008.
_DRAWS = 4000
# Beta(1, 1): every rate is as likely before the first customer.
_PRIOR = (1.0, 1.0)
# How many customers the other segments' rates are worth in a segment that has few of its own.
_POOLED_CUSTOMERS = 30.0


@dataclass(frozen=True, slots=True)
class Posterior:
    """Beta(alpha, beta) of a rate."""

    alpha: float
    beta: float

    @property
    def mean(self) -> float:
        return self.alpha / (self.alpha + self.beta)


def posteriors(counts: Sequence[Counts], pooled: Sequence[Counts] | None = None) -> list[Posterior]:
    """From decayed counts. `pooled`: those of all segments, which give a segment's prior (partial pooling)."""
    found = []
    for place, own in enumerate(counts):
        alpha, beta = _PRIOR
        if pooled is not None:
            others = pooled[place].recent_customers - own.recent_customers
            won = pooled[place].recent_successes - own.recent_successes
            share = min(1.0, _POOLED_CUSTOMERS / others) if others > 0 else 0.0
            alpha, beta = alpha + won * share, beta + max(0.0, others - won) * share
        failures = max(0.0, own.recent_customers - own.recent_successes)
        found.append(Posterior(alpha + own.recent_successes, beta + failures))
    return found


def draws(found: Sequence[Posterior], seed: int = 0) -> NDArray[np.float64]:
    """Samples of the rates, shape (draws, variations). The same seed gives the same, so that replicas agree."""
    generator = np.random.default_rng(seed)
    alphas, betas = np.array([p.alpha for p in found]), np.array([p.beta for p in found])
    return generator.beta(alphas, betas, size=(_DRAWS, len(found)))


def chance_best(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Per variation: the share of draws in which it is the best."""
    best = np.argmax(samples, axis=1)
    counted: NDArray[np.float64] = np.bincount(best, minlength=samples.shape[1]) / samples.shape[0]
    return counted


def with_floor(chances: NDArray[np.float64], floor: float) -> list[float]:
    """Weights of at least `floor` each (equal ones when the floors would fill all), sum 1."""
    count = len(chances)
    least = min(floor, 1 / count)
    weights = least + (1 - count * least) * chances
    return [float(weight) for weight in weights / weights.sum()]


def expected_loss(samples: NDArray[np.float64], chosen: int) -> float:
    """Mean of what `chosen` falls behind the best."""
    return float(np.mean(samples.max(axis=1) - samples[:, chosen]))
