"""Why somebody is in a segment rather than in the next likeliest one.

The log-odds of two segments c and o are (W_c - W_o) · x + b_c - b_o: of customer types the summands are the features'
own; of tastes x = Σ s_k v_k / |Σ s_k v_k|, so that each need has its share.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from services.profiler.domain.explanation import Breakdown, Contribution
from services.profiler.learning.contributions import heaviest_first, unpacked
from services.profiler.observers import Served
from services.profiler.segments.features import TYPE_FEATURES
from services.profiler.segments.model import LinearSegments

INPUTS = "type"
"""Under which what the family "type" looked at is kept: `type_features`."""
_Rows = npt.NDArray[np.float64]


def breakdown(model: LinearSegments, segment_id: str, served: Served) -> Breakdown | None:
    """None when `model` has no such segment (any more), or nothing is kept that it looked at."""
    ids = [segment.id for segment in model.segments]
    found = _of_type(served) if model.family == "type" else _of_taste(model, served)
    if found is None or segment_id not in ids or len(ids) < 2:
        return None
    names, values, parts = found
    own = ids.index(segment_id)
    scores = parts.sum(axis=0) @ model.weights.T + model.biases
    other = int(np.argmax(np.where(np.arange(len(ids)) == own, -np.inf, scores)))
    amounts = parts @ (model.weights[own] - model.weights[other])
    base = float(model.biases[own] - model.biases[other])
    told = [Contribution(*each) for each in zip(names, values, amounts.tolist(), strict=True)]
    return Breakdown("log-odds", base, heaviest_first(told), f"{model.version}, against {model.segments[other].name}")


_Parts = tuple[list[str], list[float], _Rows]
"""Names, values, and the summands [n, d] of x."""


def _of_type(served: Served) -> _Parts | None:
    row = unpacked(served.backing.inputs.get(INPUTS, b""))
    return (list(TYPE_FEATURES), row.tolist(), np.diag(row)) if len(row) == len(TYPE_FEATURES) else None


def _of_taste(model: LinearSegments, served: Served) -> _Parts | None:
    needs, vectors = served.profile.needs, served.needs
    if vectors is None or len(vectors) != len(needs) or served.profile.encoder != model.encoder:
        return None
    strengths = [need.strength for need in needs]
    parts = np.array(strengths)[:, None] * vectors.astype(np.float64)
    length = max(float(np.linalg.norm(parts.sum(axis=0))), 1e-9)
    return [f"need:{need.label}" for need in needs], strengths, parts / length
