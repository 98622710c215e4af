"""What `./rapport models optimise` keeps for a model, by its revision: the calibration, and how near int8 came."""

from __future__ import annotations

import re
from pathlib import Path

from rapport.models import quantising
from rapport.models.folder import CARD
from rapport.models.ports import ModelId
from rapport.models.quantising import Ranges


def folder_of(cache: Path, model: ModelId) -> Path:
    """A folder beside the model, which itself may be read-only or registered with its hashes."""
    return cache / "optimised" / re.sub(r"[^A-Za-z0-9._-]+", "-", str(model))


def is_ready(cache: Path, model: ModelId) -> bool:
    """True when this revision was calibrated and passed."""
    return (folder_of(cache, model) / CARD).is_file()


def ranges(cache: Path, model: ModelId) -> Ranges:
    """The calibration. Raises `ModelError` when there is none."""
    return quantising.load(folder_of(cache, model))
