"""Int8 for encoders' matrices: what each input looks like, and how to spread its outliers into the weights.

SmoothQuant (Xiao et al. 2023, https://arxiv.org/abs/2211.10438): X W = (X / s)(s W) with s_j = max|X_j|^a /
max|W_j|^(1-a), so that one scale for a whole tensor of activations loses little. Ranges are fixed at calibration: the
runtime then fuses scaling and rounding into the products.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rapport.ops.errors import ModelError

Floats = npt.NDArray[np.float32]

# How much of the outliers moves into the weights. On multilingual-e5-small, smallest cosine of 240 product titles to
# float32: 0.9897 at 0.5, 0.9979 at 0.6, 0.9988 at 0.7.
_SHARE = 0.7
_FILE = "calibration.safetensors"
# One byte either side of zero, of a weight.
_HALF = 127


@dataclass(frozen=True, slots=True)
class InputRange:
    """One matrix product's input. `smoothing` float32 [columns] divides it; then it lies within `low`..`high`."""

    smoothing: Floats
    low: float
    high: float


Ranges = Mapping[str, InputRange]
"""By the product's name in the model ("encoder.layer.0.output.dense")."""


def smoothing_of(largest: Floats, weights: Floats) -> Floats:
    """s, float32 [columns], from max|X_j| [columns] and `weights` [rows, columns]."""
    columns = np.abs(weights).max(axis=0)
    return np.asarray(np.maximum(largest, 1e-4) ** _SHARE / np.maximum(columns, 1e-5) ** (1 - _SHARE), dtype=np.float32)


def range_of(ranges: Ranges, name: str) -> InputRange:
    """Raises `ModelError` when the product was not calibrated."""
    if name not in ranges:
        raise ModelError(f"the calibration lacks {name}", fix="run `./rapport models optimise` anew")
    return ranges[name]


def quantised(weights: Floats, smoothing: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
    """s W as whole numbers int8 [rows, columns], and what each row of them is multiplied by, float32 [rows, 1]."""
    smoothed = weights * smoothing
    scales = np.maximum(np.abs(smoothed).max(axis=1, keepdims=True) / _HALF, 1e-9).astype(np.float32)
    return np.round(smoothed / scales).astype(np.int8), scales


def save(ranges: Ranges, folder: Path) -> None:
    """Writes `ranges` into `folder`."""
    from safetensors.numpy import save_file

    arrays = {f"{name}.smoothing": np.ascontiguousarray(each.smoothing) for name, each in ranges.items()}
    bounds = {f"{name}.bounds": np.array([each.low, each.high], dtype=np.float32) for name, each in ranges.items()}
    save_file(arrays | bounds, folder / _FILE)


def load(folder: Path) -> Ranges:
    """What `save` wrote. Raises `ModelError` when there is nothing."""
    from safetensors.numpy import load_file

    if not (folder / _FILE).is_file():
        raise ModelError(f"no calibration in {folder}", fix="run `./rapport models optimise`")
    arrays = load_file(folder / _FILE)
    names = [name.removesuffix(".bounds") for name in arrays if name.endswith(".bounds")]
    return {
        name: InputRange(arrays[f"{name}.smoothing"], *(float(bound) for bound in arrays[f"{name}.bounds"]))
        for name in names
    }
