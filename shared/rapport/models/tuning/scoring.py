"""How well a classifier does, label by label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_Marks = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class LabelScore:
    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Scores:
    """`accuracy`: texts told wholly right. `calibration_error`: expected, over ten bins of confidence (Guo et al.
    2017); of a multi-label classifier over all its yes and no.
    """

    accuracy: float
    macro_f1: float
    micro_f1: float
    calibration_error: float
    labels: tuple[LabelScore, ...]

    def metrics(self) -> dict[str, float]:
        """Flat, for a manifest."""
        found = {
            "accuracy": self.accuracy,
            "macro_f1": self.macro_f1,
            "micro_f1": self.micro_f1,
            "calibration_error": self.calibration_error,
        }
        for each in self.labels:
            found |= {f"precision:{each.label}": each.precision, f"recall:{each.label}": each.recall}
            found |= {f"f1:{each.label}": each.f1, f"support:{each.label}": float(each.support)}
        return {name: round(value, 4) for name, value in found.items()}


def score(
    probabilities: npt.NDArray[np.float32], labels: Sequence[str], truth: _Marks, *, multi_label: bool = False
) -> Scores:
    """`probabilities` and `truth` (what applies): [n, labels]. A label is told when it is the likeliest, or, with
    `multi_label`, when it is likelier than not.
    """
    if multi_label:
        told: _Marks = probabilities >= 0.5
        sure, right = np.maximum(probabilities, 1 - probabilities).ravel(), (told == truth).ravel()
    else:
        told = np.arange(len(labels)) == probabilities.argmax(axis=1)[:, None]
        sure, right = probabilities.max(axis=1), (told & truth).any(axis=1)
    bins = np.minimum((sure * 10).astype(int), 9)
    gap = sum(abs(sure[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean() for b in set(bins.tolist()))
    each = tuple(_label_score(label, told[:, at], truth[:, at]) for at, label in enumerate(labels))
    whole = _label_score("", told.ravel(), truth.ravel())
    accuracy = float((told == truth).all(axis=1).mean())
    return Scores(accuracy, float(np.mean([found.f1 for found in each])), whole.f1, float(gap), each)


def _label_score(label: str, told: _Marks, truth: _Marks) -> LabelScore:
    hits, named, support = int((told & truth).sum()), int(told.sum()), int(truth.sum())
    precision, recall = hits / named if named else 0.0, hits / support if support else 0.0
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    return LabelScore(label, precision, recall, f1, support)
