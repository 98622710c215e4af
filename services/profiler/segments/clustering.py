"""k-means over customer vectors, and how many clusters there are.

Vectors are unit length, centred, reduced to their leading principal components. The criterion for k: the mean
silhouette (Rousseeuw 1987), s(i) = (b - a) / max(a, b), on a fixed sample, the smallest k within `_TIE` of the best,
since a marketer has to tell the segments apart. Each k is fitted from k-means++ starts with a fixed seed: the same
vectors give the same clusters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from services.profiler.segments.model import Rows, unit
from services.profiler.segments.stability import agreement, temperature

# Beyond these the vectors of a shop's customers are noise to k-means; on the demo shop 12 and 48 cluster alike.
_COMPONENTS = 16
_SEED, _STARTS = 0, 8
# Silhouettes are quadratic in the customers.
_SAMPLE = 2_000
_TIE = 0.01
# A cluster below this share of the customers (or this number) is a handful of people, not a segment.
_LEAST_SHARE, _LEAST_MEMBERS = 0.01, 5


@dataclass(frozen=True, slots=True)
class Clusters:
    """`labels` [n] int; `weights` [k, d], `biases` [k] as `LinearSegments` has them; `criterion`: silhouette by k."""

    labels: np.ndarray[tuple[int], np.dtype[np.int64]]
    weights: Rows
    biases: Rows
    criterion: dict[int, float]

    @property
    def k(self) -> int:
        return len(self.biases)


def cluster(vectors: Rows, k_range: range) -> Clusters:
    """Clusters of customers' `vectors` [n, d]; n must exceed the largest k. A second for some thousand customers."""
    from threadpoolctl import threadpool_limits

    # One thread: beside busy processes OpenMP's threads wait for each other, and a second becomes a minute.
    with threadpool_limits(1):
        return _cluster(vectors, k_range)


def _cluster(vectors: Rows, k_range: range) -> Clusters:
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    mean, axes, points = _reduced(unit(vectors))
    fits, criterion = {}, {}
    for k in k_range:
        fit = KMeans(k, n_init=_STARTS, random_state=_SEED).fit(points)
        if np.bincount(fit.labels_, minlength=k).min() < max(_LEAST_MEMBERS, _LEAST_SHARE * len(points)):
            continue
        fits[k] = fit
        size = min(_SAMPLE, len(points))
        criterion[k] = float(silhouette_score(points, fit.labels_, sample_size=size, random_state=_SEED))
    if not fits:
        one = np.zeros(len(points), dtype=np.int64)
        return Clusters(one, np.zeros((1, vectors.shape[1]), np.float32), np.zeros(1, np.float32), {1: 0.0})
    best = max(criterion.values())
    chosen = fits[min(k for k, score in criterion.items() if score >= best - _TIE)]
    return _as_softmax(chosen.labels_.astype(np.int64), chosen.cluster_centers_, points, mean, axes, criterion)


def _reduced(vectors: Rows) -> tuple[Rows, Rows, Rows]:
    """Mean [d], axes [c, d] and points [n, c]."""
    mean: Rows = vectors.mean(axis=0)
    centred = vectors - mean
    # The eigenvectors of d × d rather than an SVD of n × d: the customers are many, the dimensions few.
    values, axes = np.linalg.eigh(centred.T @ centred)
    axes = np.ascontiguousarray(axes[:, np.argsort(values)[::-1][:_COMPONENTS]].T)
    return mean, axes, centred @ axes.T


def _as_softmax(
    labels: np.ndarray[tuple[int], np.dtype[np.int64]],
    centres: Rows,
    points: Rows,
    mean: Rows,
    axes: Rows,
    criterion: dict[int, float],
) -> Clusters:
    spread = float(((points - centres[labels]) ** 2).mean())  # one variance for all clusters and components
    shares = np.bincount(labels, minlength=len(centres)) / len(labels)
    slopes, offsets = centres / spread, np.log(shares) - (centres**2).sum(axis=1) / (2 * spread)
    agreed = agreement(points, len(centres)) if len(points) >= 4 * len(centres) else 0.0
    heat = temperature(points @ slopes.T + offsets, agreed)
    weights = slopes @ axes / heat
    biases = offsets / heat - weights @ mean
    return Clusters(labels, weights.astype(np.float32), biases.astype(np.float32), criterion)
