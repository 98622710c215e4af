"""A trained SASRec as files: `weights.safetensors`, `items.json`, `shape.json`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from rapport.ops.errors import ModelError
from services.recommender.worker.sasrec.model import SasRec
from services.recommender.worker.sasrec.shape import Shape

KIND = "sasrec"
_WEIGHTS, _ITEMS, _SHAPE = "weights.safetensors", "items.json", "shape.json"


def save(model: SasRec, items: Sequence[str], folder: Path) -> None:
    """`items`: product ids by number."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, folder / _WEIGHTS)
    (folder / _ITEMS).write_text(json.dumps(list(items)), encoding="utf-8")
    (folder / _SHAPE).write_text(json.dumps(asdict(model.shape)), encoding="utf-8")


def load(folder: Path) -> tuple[SasRec, tuple[str, ...]]:
    """The model, ready to answer, and its product ids. Raises `ModelError` naming what is wrong."""
    try:
        shape = Shape(**json.loads((folder / _SHAPE).read_text(encoding="utf-8")))
        items = tuple(json.loads((folder / _ITEMS).read_text(encoding="utf-8")))
        model = SasRec(shape)
        model.load_state_dict(load_file(folder / _WEIGHTS))
    except (OSError, ValueError, TypeError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"{folder} holds no SASRec: {error}") from error
    if len(items) != shape.items:
        raise ModelError(f"{folder}: {len(items)} items are named, the weights are for {shape.items}")
    return model.eval(), items
