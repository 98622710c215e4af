"""How sure a place in a cluster is: as often as a fit on other customers puts the same people together.

The probabilities of a mixture of Gaussians are far too sure of themselves in many dimensions (0.99 in the mean on the
demo shop). So they are tempered until their mean is what two fits, each on one half of the customers, agree on.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from services.profiler.segments.model import Rows

_SEED, _STARTS = 0, 4
_TEMPERATURES = np.geomspace(1.0, 64.0, 49)
# Nobody is told to be surer than this, nor less sure than a coin.
_MOST, _LEAST = 0.98, 0.5


def agreement(points: Rows, k: int) -> float:
    """Share of `points` [n, c] that two clusterings of k, of random halves, put into clusters that match. 0 to 1."""
    from scipy.optimize import linear_sum_assignment
    from sklearn.cluster import KMeans

    order = np.random.default_rng(_SEED).permutation(len(points))
    halves = order[: len(order) // 2], order[len(order) // 2 :]
    one, two = (KMeans(k, n_init=_STARTS, random_state=_SEED).fit(points[half]).predict(points) for half in halves)
    both = np.zeros((k, k))
    np.add.at(both, (one, two), 1)
    rows, columns = linear_sum_assignment(-both)
    return float(both[rows, columns].sum() / len(points))


def temperature(scores: npt.NDArray[np.float64], agreed: float) -> float:
    """What to divide `scores` [n, k] by so that the mean of the largest probability comes nearest to `agreed`."""
    wanted = min(max(agreed, _LEAST), _MOST)
    return float(min(_TEMPERATURES, key=lambda t: abs(_mean_sureness(scores / t) - wanted)))


def _mean_sureness(scores: npt.NDArray[np.float64]) -> float:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return float((1 / powers.sum(axis=1)).mean())
