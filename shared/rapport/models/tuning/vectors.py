"""Vectors of many texts by an encoder in this process."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rapport.models.ports import Role, Rows, SequenceBackend


def vectors_of(backend: SequenceBackend, texts: Sequence[str], role: Role) -> Rows:
    """float32 [texts, d]; texts of like length go together, so that little is padded."""
    sequences = backend.tokenize(texts, role)
    order = sorted(range(len(sequences)), key=lambda at: len(sequences[at]))
    rows = np.empty((len(texts), backend.dimensions), dtype=np.float32)
    batch: list[int] = []
    for place, at in enumerate(order):
        batch.append(at)
        longest = len(sequences[order[place + 1]]) if place + 1 < len(order) else 0
        if not longest or (len(batch) + 1) * longest > backend.batch_tokens:
            rows[batch] = backend.forward([sequences[each] for each in batch])
            batch = []
    return rows
