"""A classifier that reads a text's words beside its vector: P(c|x) = softmax(W v + U t + b).

v is the encoder's vector, t the n-grams (see `ngrams`). A vector knows what words mean that no example had; n-grams
know names and turns of phrase that a vector blurs. Each part is a logistic regression by itself; they are joined as a
log-linear pool, P ∝ P_v^α · P_t^β (Genest and Zidek 1986), with the α and β under which the examples are likeliest when
neither part has seen them. One factor alone would be temperature scaling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rapport.models import heads
from rapport.models.calibration import softmax
from rapport.models.heads import SoftmaxHead
from rapport.models.ngrams import Ngrams
from rapport.models.ports import ModelId, Role, Rows

_FILE = "words.safetensors"
# A fourth digit of a weight changes no answer.
_STORED = np.float16
# Of the words' regression: best of 2, 5 and 15 on zh-online-shopping-10-cats, all within .002.
_INVERSE_PENALTY = 5.0
# Of α and β: where all examples are told apart there is no likeliest one.
_MOST_SHARE = 4.0
# Probabilities are never taken as smaller: one that is 0 would be infinitely surprising.
_LEAST = 1e-12


@dataclass(frozen=True, slots=True)
class LexicalHead:
    """`dense` reads vectors; `weights` float32 [labels, n] read the texts' n-grams."""

    dense: SoftmaxHead
    ngrams: Ngrams
    weights: Rows

    @property
    def model(self) -> ModelId:
        return self.dense.model

    @property
    def labels(self) -> tuple[str, ...]:
        return self.dense.labels

    @property
    def role(self) -> Role:
        return self.dense.role

    @property
    def dimensions(self) -> int:
        return self.dense.dimensions

    def scores(self, vectors: Rows, texts: Sequence[str]) -> Rows:
        """float32 [texts, labels], before softmax; `vectors` [texts, d] are those of `texts`."""
        words = self.ngrams.rows(texts) @ self.weights.T
        return np.asarray(self.dense.scores(vectors) + words, dtype=np.float32)

    def probabilities(self, vectors: Rows, texts: Sequence[str]) -> Rows:
        """float32 [texts, labels], rows sum to 1."""
        return self.dense.probabilities_of(self.scores(vectors, texts))

    def told(self, vectors: Rows, texts: Sequence[str]) -> tuple[Rows, Rows]:
        """`probabilities`, and energies float32 [texts] (see `SoftmaxHead.energies_of`). The texts are read once."""
        scores = self.scores(vectors, texts)
        return self.dense.probabilities_of(scores), self.dense.energies_of(scores)

    def save(self, folder: Path) -> None:
        """Writes the head into `folder`."""
        from safetensors.numpy import save_file

        self.dense.save(folder)
        arrays: dict[str, npt.NDArray[Any]] = {
            "buckets": self.ngrams.buckets,
            "rarity": self.ngrams.rarity,
            "weights": np.ascontiguousarray(self.weights.astype(_STORED)),
        }
        save_file(arrays, folder / _FILE)

    @classmethod
    def load(cls, folder: Path) -> LexicalHead:
        """The head in `folder`. Raises `ModelError` when there is none."""
        from safetensors.numpy import load_file

        dense = SoftmaxHead.load(folder)
        arrays = load_file(folder / _FILE)
        return cls(dense, Ngrams(arrays["buckets"], arrays["rarity"]), arrays["weights"].astype(np.float32))


def load_head(folder: Path) -> SoftmaxHead | LexicalHead:
    """Whichever of the two `folder` holds. Raises `ModelError` when it holds neither."""
    return LexicalHead.load(folder) if (folder / _FILE).is_file() else SoftmaxHead.load(folder)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A head, and how often it was right on examples that it had not seen (5-fold, stratified)."""

    head: LexicalHead
    held_out_accuracy: float
    unseen: npt.NDArray[np.float64]
    """[examples, labels]: what was said of each example while it was left out."""


def fit(
    model: ModelId, vectors: Rows, texts: Sequence[str], answers: Sequence[str], role: Role, *, balanced: bool = False
) -> Fitted:
    """From unit `vectors` [texts, d] of `texts` to `answers`. `balanced`: every label counts alike."""
    ngrams = Ngrams.of(texts)
    meaning = heads.fit(model, vectors, answers, role, balanced=balanced)
    words = heads.fit(model, ngrams.rows(texts), answers, role, _INVERSE_PENALTY, balanced=balanced)
    parts = [np.log(np.maximum(part.unseen, _LEAST)) for part in (meaning, words)]
    truth = np.array([meaning.head.labels.index(answer) for answer in answers])
    alpha, beta = _pooling(parts, truth)
    unseen = np.asarray(softmax(alpha * parts[0] + beta * parts[1]), dtype=np.float64)
    by_meaning, by_words = alpha / meaning.head.temperature, beta / words.head.temperature
    dense = replace(
        meaning.head,
        weights=by_meaning * meaning.head.weights,
        biases=by_meaning * meaning.head.biases + by_words * words.head.biases,
        temperature=1.0,
    )
    head = LexicalHead(dense, ngrams, by_words * words.head.weights)
    return Fitted(head, float((unseen.argmax(axis=1) == truth).mean()), unseen)


def _pooling(parts: Sequence[npt.NDArray[np.float64]], truth: npt.NDArray[np.intp]) -> tuple[float, float]:
    """α and β, not negative, from each part's log-probabilities [examples, labels] and the right columns [examples]."""
    from scipy.optimize import minimize

    rows = np.arange(len(truth))

    def surprise(shares: npt.NDArray[np.float64]) -> float:
        joined = shares[0] * parts[0] + shares[1] * parts[1]
        return float((np.logaddexp.reduce(joined, axis=1) - joined[rows, truth]).mean())

    found = minimize(surprise, np.array([0.5, 0.5]), bounds=[(0.0, _MOST_SHARE)] * 2, method="L-BFGS-B")
    return float(found.x[0]), float(found.x[1])
