"""Fits the ranker of the blend: LambdaMART (Burges 2010) by LightGBM, with position bias taken out.

The first places of a list are looked at more, whatever stands there. Two things take that out, and in a simulation with
places known (tests/unit/recommender/training/test_ranker.py) neither alone does: a click weighs by the inverse of the
probability that its place was examined (Wang et al. 2018), and LightGBM learns one bias for each place beside the trees
(`position` of its data set); the served score is the trees' alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rapport.ops.errors import InvalidRequest
from services.recommender.domain.reactions import examination

if TYPE_CHECKING:
    import lightgbm

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int32]

# Small trees, slow steps, many rows in each leaf: clicks are few and noisy. Ended by the validation lists.
_PARAMETERS: Mapping[str, Any] = {
    "objective": "lambdarank",
    "metric": "ndcg",
    "eval_at": [10],
    "learning_rate": 0.05,
    "num_leaves": 31,
    "min_data_in_leaf": 50,
    "feature_fraction": 0.8,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "lambdarank_truncation_level": 20,
    # Evened out over each list, the weights of clicks would be too: without it the trees follow places half as much.
    "lambdarank_norm": False,
    "verbosity": -1,
    "num_threads": 1,
    "seed": 1,
    "deterministic": True,
}
_MOST_TREES, _PATIENCE = 600, 40
# One click at a place that is hardly ever looked at must not count for a hundred others.
_MOST_WEIGHT = 10.0


@dataclass(frozen=True, slots=True)
class Lists:
    """Lists of items with what became of each, end to end."""

    features: Floats
    """[rows, F]"""
    labels: Ids
    """[rows]: gain; 0 nothing, 1 clicked (or what came next), more for what is worth more."""
    sizes: Ids
    """[lists]: rows of each."""
    positions: Ids | None = None
    """[rows]: place at which it was shown; None where nothing was shown."""
    weights: Floats | None = None
    """[rows]: see `click_weights`."""

    def chosen(self, lists: npt.NDArray[np.bool_]) -> Lists:
        """Those lists for which `lists` holds."""
        rows = np.repeat(lists, self.sizes)
        return Lists(
            self.features[rows],
            self.labels[rows],
            self.sizes[lists],
            None if self.positions is None else self.positions[rows],
            None if self.weights is None else self.weights[rows],
        )

    def telling(self) -> Lists:
        """Lists in which something was taken and something was not: others teach no order."""
        taken = np.add.reduceat((self.labels > 0).astype(np.int64), np.cumsum(self.sizes) - self.sizes)
        return self.chosen((taken > 0) & (taken < self.sizes))


def click_weights(labels: Ids, positions: Ids, propensities: Floats) -> Floats:
    """[rows]: inverse propensity of what was explored, and for what was clicked inverse examination of its place."""
    examined = np.array([examination(int(place)) for place in positions], dtype=np.float32)
    chance = propensities * np.where(labels > 0, examined, 1.0)
    return np.asarray(np.minimum(1.0 / chance, _MOST_WEIGHT), dtype=np.float32)


def fit_ranker(
    train: Lists, validation: Lists, names: Sequence[str], parameters: Mapping[str, Any] | None = None
) -> lightgbm.Booster:
    """Trees until the validation lists get no better. Raises `InvalidRequest` when no list teaches anything."""
    import lightgbm

    train, validation = train.telling(), validation.telling()
    if not len(train.sizes) or not len(validation.sizes):
        raise InvalidRequest("no list in which something was clicked and something was not", field="impressions")
    told = lightgbm.Dataset(
        train.features,
        train.labels,
        weight=train.weights,
        group=train.sizes,
        position=train.positions,
        feature_name=list(names),
    )
    # Clicks of the validation lists are as biased as those of the training; their order is judged by places too.
    judged = lightgbm.Dataset(
        validation.features, validation.labels, group=validation.sizes, reference=told, position=validation.positions
    )
    return lightgbm.train(
        {**_PARAMETERS, **(parameters or {})},
        told,
        num_boost_round=_MOST_TREES,
        valid_sets=[judged],
        callbacks=[lightgbm.early_stopping(_PATIENCE, verbose=False)],
    )
