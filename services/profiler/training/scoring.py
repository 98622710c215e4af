"""How well a classifier does, label by label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class LabelScore:
    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Scores:
    """`calibration_error`: expected, over ten bins of confidence (Guo et al. 2017)."""

    accuracy: float
    macro_f1: float
    calibration_error: float
    labels: tuple[LabelScore, ...]

    def metrics(self) -> dict[str, float]:
        """Flat, for a manifest."""
        found = {
            "accuracy": self.accuracy,
            "macro_f1": self.macro_f1,
            "calibration_error": self.calibration_error,
        }
        for each in self.labels:
            found |= {f"precision:{each.label}": each.precision, f"recall:{each.label}": each.recall}
            found |= {f"f1:{each.label}": each.f1, f"support:{each.label}": float(each.support)}
        return {name: round(value, 4) for name, value in found.items()}


def score(probabilities: npt.NDArray[np.float32], labels: Sequence[str], truth: Sequence[str]) -> Scores:
    """`probabilities` [n, labels]; `truth` [n]."""
    said = np.array(labels)[probabilities.argmax(axis=1)]
    told = np.array(truth)
    sure, right = probabilities.max(axis=1), said == told
    bins = np.minimum((sure * 10).astype(int), 9)
    gap = sum(abs(sure[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean() for b in set(bins.tolist()))
    each = tuple(_label_score(label, said, told) for label in labels)
    return Scores(float(right.mean()), float(np.mean([found.f1 for found in each])), float(gap), each)


def _label_score(label: str, said: npt.NDArray[np.str_], told: npt.NDArray[np.str_]) -> LabelScore:
    hits = int(((said == label) & (told == label)).sum())
    named, support = int((said == label).sum()), int((told == label).sum())
    precision, recall = hits / named if named else 0.0, hits / support if support else 0.0
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    return LabelScore(label, precision, recall, f1, support)
