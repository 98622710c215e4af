"""Which variation a customer gets: GrowthBook's hash, so that every GrowthBook SDK gives the same answer.

Hash version 2 with the experiment id as seed, then namespace, coverage and weights, as in "Build Your Own SDK" of
GrowthBook's documentation. The arithmetic is the library's own.
"""

from __future__ import annotations

from collections.abc import Sequence

from growthbook.core import chooseVariation, gbhash, getBucketRanges, inNamespace

from rapport.events.experiments import ExperimentChanged

_HASH_VERSION = 2


def assign(experiment: ExperimentChanged, customer_id: str, weights: Sequence[float]) -> str | None:
    """The variation of `customer_id` under `weights` (one a variation, sum 1); None: not in the experiment."""
    plan = experiment.plan
    if plan.namespace is not None:
        space = plan.namespace
        if not inNamespace(customer_id, (space.name, space.start, space.end)):
            return None
    bucket = gbhash(experiment.experiment_id, customer_id, _HASH_VERSION)
    if bucket is None:
        return None
    ranges = getBucketRanges(len(experiment.variations), plan.coverage, list(weights))
    chosen = chooseVariation(bucket, ranges)
    return experiment.variations[chosen].variation_id if chosen >= 0 else None
