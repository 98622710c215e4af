"""Fits both families of segments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rapport.ops.errors import StateConflict
from services.profiler.domain.customer import Customer
from services.profiler.domain.membership import Thresholds
from services.profiler.domain.rules import Rules
from services.profiler.segments.clustering import cluster
from services.profiler.segments.features import taste, traits
from services.profiler.segments.model import LinearSegments, Rows
from services.profiler.segments.naming import described, kept_names
from services.profiler.segments.types import FittedTypes, fit_types

# A marketer handles about a dozen segments; below two there is nothing to tell apart.
_K = range(2, 13)
# Customers a cluster at least: with fewer, clusters are chance.
_LEAST_A_CLUSTER = 12
LEAST_CUSTOMERS = _K.start * _LEAST_A_CLUSTER


@dataclass(frozen=True, slots=True)
class FittedTastes:
    """`criterion`: mean silhouette by number of clusters; the smallest number near the best one was taken."""

    model: LinearSegments
    criterion: Mapping[int, float]
    customers: int
    metrics: Mapping[str, float]


def fit_tastes(customers: Mapping[str, Customer], before: LinearSegments | None, rules: Rules) -> FittedTastes:
    """Clusters of what the customers are after now. Raises `StateConflict` when too few have been seen."""
    least = Thresholds().evidence
    able = [each for each in customers.values() if each.revision >= least and each.spectrum.needs]
    encoder = Counter(each.spectrum.encoder for each in able).most_common(1)[0][0] if able else ""
    able = [each for each in able if each.spectrum.encoder == encoder]
    if len(able) < LEAST_CUSTOMERS:
        raise StateConflict(
            f"{len(able)} customers with {least} events or more, segments need {LEAST_CUSTOMERS}", fix="wait for more"
        )
    vectors: Rows = np.stack([vector for each in able if (vector := taste(each, rules)) is not None])
    most = min(_K.stop, len(able) // _LEAST_A_CLUSTER + 1)
    clusters = cluster(vectors, range(_K.start, max(most, _K.start + 1)))
    found = described(clusters, [traits(each) for each in able])
    same_space = before is not None and before.encoder == encoder
    segments = kept_names(found, clusters.labels, before, vectors, same_space=same_space)
    model = LinearSegments("taste", "", encoder, tuple(segments), clusters.weights, clusters.biases)
    sure = float(model.all_probabilities(vectors).max(axis=1).mean())
    metrics = {
        "customers": float(len(able)),
        "segments": float(clusters.k),
        "silhouette": round(max(clusters.criterion.values()), 4),
        "mean_confidence": round(sure, 4),
    }
    return FittedTastes(model, clusters.criterion, len(able), metrics)


def fit_customer_types(customers: Mapping[str, Customer], corrected: Mapping[str, str]) -> FittedTypes:
    """Types from RFM rules and `corrected` labels (by customer id). Raises `StateConflict` when too few were seen."""
    least = Thresholds().evidence
    able = {id_: each for id_, each in customers.items() if each.revision >= least or id_ in corrected}
    if len(able) < LEAST_CUSTOMERS:
        raise StateConflict(f"{len(able)} customers, types need {LEAST_CUSTOMERS}", fix="wait for more")
    now = max(each.last_seen_at for each in able.values())
    return fit_types(list(able.values()), list(able), corrected, now)
