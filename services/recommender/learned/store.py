"""Item–item weights and factors as files: arrays in NumPy's own format, the rest as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rapport.models.versions import Version
from rapport.ops.errors import ModelError
from services.recommender.learned.factors import Factors
from services.recommender.learned.item_item import ItemItem

ITEM_ITEM, FACTORS = "item-item", "factors"
"""Kinds of versions."""
Array = npt.NDArray[Any]
_ABOUT, _ITEMS = "about.json", "items.json"


@dataclass(frozen=True, slots=True)
class About:
    """What a version says of itself beside its arrays."""

    tenant: str
    """Whose products it knows."""
    half_at: float
    """The score that counts for 0.5 beside other sources: that of an ordinary third candidate."""


def save_item_item(model: ItemItem, about: About, folder: Path) -> None:
    arrays: dict[str, Array] = {"starts": model.starts, "neighbours": model.neighbours, "weights": model.weights}
    _save(folder, model.items, arrays, about, {"fading": model.fading})


def load_item_item(folder: Path) -> tuple[ItemItem, About]:
    """Raises `ModelError` saying what is wrong with the files."""
    items, arrays, settings, about = _load(folder, ("starts", "neighbours", "weights"))
    if len(arrays["starts"]) != len(items) + 1 or int(arrays["starts"][-1]) != len(arrays["weights"]):
        raise ModelError(f"{folder}: {len(items)} items do not fit the arrays")
    return ItemItem(items, arrays["starts"], arrays["neighbours"], arrays["weights"], settings["fading"]), about


def save_factors(model: Factors, about: About, folder: Path) -> None:
    settings = {"l2": model.l2, "confidence": model.confidence, "fading": model.fading}
    _save(folder, model.items, {"vectors": model.vectors, "biases": model.biases}, about, settings)


def load_factors(folder: Path) -> tuple[Factors, About]:
    """Raises `ModelError` saying what is wrong with the files."""
    items, arrays, settings, about = _load(folder, ("vectors", "biases"))
    if arrays["vectors"].ndim != 2 or len(arrays["vectors"]) != len(items) or len(arrays["biases"]) != len(items):
        raise ModelError(f"{folder}: {len(items)} items do not fit the arrays")
    model = Factors(
        items, arrays["vectors"], arrays["biases"], settings["l2"], settings["confidence"], settings["fading"]
    )
    return model, about


def check_tenant(version: Version, learned_from: str, tenant: str) -> None:
    """Raises `ModelError` for a version that learned from another tenant's customers: their ways are nobody else's, and
    nobody else is to see them."""
    if learned_from != tenant:
        raise ModelError(f"{version} learned from tenant {learned_from!r}, and is not for {tenant!r}")


def _save(
    folder: Path,
    items: Sequence[str],
    arrays: Mapping[str, Array],
    about: About,
    settings: Mapping[str, float],
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _ITEMS).write_text(json.dumps(list(items)), encoding="utf-8")
    told = {"tenant": about.tenant, "half_at": about.half_at, **settings}
    (folder / _ABOUT).write_text(json.dumps(told), encoding="utf-8")
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)


def _load(folder: Path, names: Sequence[str]) -> tuple[tuple[str, ...], dict[str, Array], dict[str, float], About]:
    try:
        items = tuple(json.loads((folder / _ITEMS).read_text(encoding="utf-8")))
        told = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
        arrays = {name: np.load(folder / f"{name}.npy", allow_pickle=False) for name in names}
        return items, arrays, told, About(told["tenant"], told["half_at"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{folder} cannot be read: {error!r}") from error
