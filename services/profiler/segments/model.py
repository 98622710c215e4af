"""A family of segments as it is served: P(c|x) = softmax(W x + b), with what is to be known of each segment.

Both families end in this form. A mixture of spherical Gaussians with one variance (what k-means assumes) has
log p(c|x) = log π_c - |z - μ_c|² / 2σ² + const, where z = P (x - m) are principal components; |z|² is the same for all
c, so that W = μ_c P / σ² and b = log π_c - |μ_c|² / 2σ² - μ_c P m / σ² (Bishop 2006, 4.2.1).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rapport.models.folder import read_json
from rapport.ops.errors import ModelError
from services.profiler.domain.learned import Family

Rows = npt.NDArray[np.float32]
_WEIGHTS, _FACTS = "segments.npy", "segments.json"


@dataclass(frozen=True, slots=True)
class Segment:
    """What people and the next refit need to know of one segment."""

    id: str
    """Stays over refits, for as long as most of the same customers are in it."""
    name: str
    sentence: str
    """What sets it apart, in plain words."""
    share: float
    """Of the customers it was fitted on."""
    traits: tuple[tuple[str, float], ...]
    """What sets it apart: a trait, and how many times as common as among all customers."""


@dataclass(frozen=True, slots=True)
class LinearSegments:
    """`weights` float32 [segments, d], `biases` float32 [segments]; `encoder`: whose vectors x are ("": features)."""

    family: Family
    version: str
    encoder: str
    segments: tuple[Segment, ...]
    weights: Rows
    biases: Rows

    def probabilities(self, vector: Rows) -> dict[str, float]:
        """By segment id, summing to 1, for one customer's `vector` [d]."""
        shares = self.all_probabilities(vector[None])[0]
        return {segment.id: float(share) for segment, share in zip(self.segments, shares, strict=True)}

    def all_probabilities(self, vectors: Rows) -> Rows:
        """float32 [n, segments] for `vectors` [n, d]."""
        scores = vectors @ self.weights.T + self.biases
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares: Rows = powers / powers.sum(axis=1, keepdims=True)
        return shares

    @property
    def names(self) -> Mapping[str, str]:
        return {segment.id: segment.name for segment in self.segments}

    def save(self, folder: Path, **more: Any) -> None:
        """Writes the model into `folder`; `more` goes beside the facts, for the next fit."""
        np.save(folder / _WEIGHTS, np.column_stack([self.weights, self.biases]), allow_pickle=False)
        facts = {"family": self.family, "encoder": self.encoder, "segments": [asdict(each) for each in self.segments]}
        (folder / _FACTS).write_text(json.dumps(facts | more, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, version: str) -> LinearSegments:
        """Raises `ModelError` when `folder` holds no segments."""
        facts = read_json(folder / _FACTS)
        if not facts:
            raise ModelError(f"no segments in {folder}: looked for {_FACTS}")
        joined = np.load(folder / _WEIGHTS, allow_pickle=False)
        segments = tuple(
            Segment(**{**each, "traits": tuple((name, lift) for name, lift in each["traits"])})
            for each in facts["segments"]
        )
        return cls(facts["family"], version, facts["encoder"], segments, joined[:, :-1], joined[:, -1])


def unit(vectors: Rows) -> Rows:
    """Rows of length 1; a zero row stays."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, np.float32(1e-9)), dtype=np.float32)
