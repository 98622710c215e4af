"""The blend's trained ranker, as it serves: LambdaMART trees from LightGBM's own text format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rapport.models.versions import Version
from rapport.ops.errors import ModelError
from services.recommender.domain.features import FEATURES, VERSION
from services.recommender.learned.store import check_tenant

if TYPE_CHECKING:
    import lightgbm

KIND = "lambdamart"
_TREES, _ABOUT = "trees.txt", "about.json"


class LambdaMart:
    """A `Ranker` of the domain: some 300 candidates in a millisecond, on the caller's thread."""

    def __init__(self, name: str, booster: lightgbm.Booster) -> None:
        self.name, self._booster = name, booster

    def score(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.floating]:
        """[n, features] → [n]: the trees' sum."""
        # One thread: a pool that waits for its helpers takes longer than these few rows.
        return np.asarray(self._booster.predict(features, num_threads=1), dtype=np.float64)


def save(booster: lightgbm.Booster, tenant: str, folder: Path) -> None:
    """The trees, which features they read, and whose customers they learned from."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _TREES).write_text(booster.model_to_string(num_iteration=booster.best_iteration), encoding="utf-8")
    (folder / _ABOUT).write_text(
        json.dumps({"features": list(FEATURES), "version": VERSION, "tenant": tenant}), encoding="utf-8"
    )


def load(version: Version, tenant: str) -> LambdaMart:
    """Raises `ModelError` for files that are no trees, trees of other features than those that are served, or what
    another tenant's customers taught."""
    # Imported here: a service without a trained ranker does without.
    import lightgbm

    try:
        about = json.loads((version.folder / _ABOUT).read_text(encoding="utf-8"))
        booster = lightgbm.Booster(model_str=(version.folder / _TREES).read_text(encoding="utf-8"))
    except (OSError, ValueError, lightgbm.basic.LightGBMError) as error:
        raise ModelError(f"{version} cannot be read: {error}") from error
    if about.get("version") != VERSION or about.get("features") != list(FEATURES):
        raise ModelError(
            f"{version} was trained on features of version {about.get('version')}, served are those of {VERSION}",
            fix="train it again",
        )
    check_tenant(version, about.get("tenant"), tenant)
    ranker = LambdaMart(f"{version.name}@{version.version}", booster)
    # The first call builds the tables that later ones use.
    ranker.score(np.zeros((1, len(FEATURES)), dtype=np.float32))
    return ranker
