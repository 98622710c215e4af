"""What `./rapport models optimise` keeps for a model, by its revision: the calibration, and how near int8 came."""

from __future__ import annotations

import re
from pathlib import Path

from rapport.models import quantising
from rapport.models.folder import CARD
from rapport.models.ports import ModelId
from rapport.models.quantising import Ranges
from rapport.models.runtime_encoder import Runtime


def folder_of(cache: Path, model: ModelId, runtime: Runtime = "openvino") -> Path:
    """A folder beside the model, which itself may be read-only or registered with its hashes."""
    own = re.sub(r"[^A-Za-z0-9._-]+", "-", str(model))
    return cache / "optimised" / (own if runtime == "openvino" else f"{own}-{runtime}")


def is_ready(cache: Path, model: ModelId, runtime: Runtime = "openvino") -> bool:
    """True when this revision was calibrated, for `runtime`, and passed."""
    return (folder_of(cache, model, runtime) / CARD).is_file()


def ranges(cache: Path, model: ModelId) -> Ranges:
    """The calibration. Raises `ModelError` when there is none."""
    return quantising.load(folder_of(cache, model))
