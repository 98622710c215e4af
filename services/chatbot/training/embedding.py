"""Vectors of texts in the command's own process, by the encoder of the settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rapport.models.ports import ModelId, Role, Rows
from rapport.ops.settings import Settings

# Texts of like length embedded at a time.
_BATCH = 64


@dataclass(frozen=True, slots=True)
class Vectors:
    """`rows` float32 [texts, d], unit length."""

    model: ModelId
    rows: Rows


def local_vectors(texts: Sequence[str], settings: Settings) -> Vectors:
    """Embeds `texts` as queries. Raises `ModelError` when the encoder is not there: `./rapport models prepare`."""
    from rapport.serving.loading import load_encoder

    encoder = load_encoder(settings, ()).backend
    tokens = encoder.tokenize(texts, Role.QUERY)
    order = sorted(range(len(texts)), key=lambda at: len(tokens[at]))
    rows = np.empty((len(texts), encoder.dimensions), np.float32)
    for part in (order[at : at + _BATCH] for at in range(0, len(order), _BATCH)):
        rows[part] = encoder.forward([tokens[at] for at in part])
    return Vectors(encoder.model, rows)
