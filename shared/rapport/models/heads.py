"""Classifiers on an encoder's vectors: P(c|x) = softmax(W x + b), fitted in a second, stored without pickles."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rapport.models.calibration import sigmoid, softmax, temperature
from rapport.models.folder import read_json
from rapport.models.ports import ModelId, Role, Rows
from rapport.ops.errors import ModelError

_WEIGHTS, _FACTS = "head.safetensors", "head.json"
_FOLDS = 5


@dataclass(frozen=True, slots=True)
class SoftmaxHead:
    """`weights` float32 [labels, dimensions], `biases` float32 [labels].

    `temperature` calibrates the probabilities. `independent`: each label has a softmax of its own against its absence
    (a sigmoid), so that a text may have several labels, or none.
    """

    model: ModelId
    labels: tuple[str, ...]
    role: Role
    weights: Rows
    biases: Rows
    temperature: float = 1.0
    independent: bool = False

    @property
    def dimensions(self) -> int:
        """Of the vectors that it reads."""
        return int(self.weights.shape[1])

    def scores(self, vectors: Rows) -> Rows:
        """float32 [texts, labels], W x + b, from unit `vectors` [texts, dimensions]."""
        return np.asarray(vectors @ self.weights.T + self.biases, dtype=np.float32)

    def probabilities(self, vectors: Rows, texts: Sequence[str] = ()) -> Rows:  # noqa: ARG002 - see `ports.Head`
        """float32 [texts, labels]; rows sum to 1 unless the labels are `independent`. `texts` are not read."""
        return self.probabilities_of(self.scores(vectors))

    def told(self, vectors: Rows, texts: Sequence[str] = ()) -> tuple[Rows, Rows]:  # noqa: ARG002
        """`probabilities`, and `energies_of`."""
        scores = self.scores(vectors)
        return self.probabilities_of(scores), self.energies_of(scores)

    def probabilities_of(self, scores: Rows) -> Rows:
        """float32 [texts, labels], from `scores` [texts, labels]."""
        scores = scores / self.temperature
        return np.asarray(sigmoid(scores) if self.independent else softmax(scores), dtype=np.float32)

    def energies_of(self, scores: Rows) -> Rows:
        """float32 [texts]: the higher, the less a text is like what was learned, however likely its likeliest label.

        -log sum exp of the scores (Liu et al. 2020, "Energy-based out-of-distribution detection"); of independent
        labels the sum over each one's (Wang et al. 2021, "Can multi-label classification networks know what they don't
        know?").
        """
        each = np.logaddexp(0, scores).sum(axis=1) if self.independent else np.logaddexp.reduce(scores, axis=1)
        return np.asarray(-each, dtype=np.float32)

    def save(self, folder: Path) -> None:
        """Writes the head into `folder`."""
        from safetensors.numpy import save_file

        # safetensors writes memory as it lies: scikit-learn's column-major weights would come back shuffled.
        arrays = {"weights": np.ascontiguousarray(self.weights), "biases": np.ascontiguousarray(self.biases)}
        save_file(arrays, folder / _WEIGHTS)
        facts = {
            "id": self.model.id,
            "revision": self.model.revision,
            "labels": self.labels,
            "role": self.role.value,
            "temperature": self.temperature,
            "independent": self.independent,
        }
        (folder / _FACTS).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> SoftmaxHead:
        """The head in `folder`. Raises `ModelError` when there is none."""
        from safetensors.numpy import load_file

        facts = read_json(folder / _FACTS)
        if not facts:
            raise ModelError(f"no classifier in {folder}: looked for {_FACTS}")
        arrays = load_file(folder / _WEIGHTS)
        return cls(
            ModelId(facts["id"], facts["revision"]),
            tuple(facts["labels"]),
            Role(facts["role"]),
            arrays["weights"],
            arrays["biases"],
            facts.get("temperature", 1.0),
            facts.get("independent", False),
        )


@dataclass(frozen=True, slots=True)
class Fitted:
    """A head, and how often it was right on examples that it had not seen (5-fold, stratified)."""

    head: SoftmaxHead
    held_out_accuracy: float
    unseen: npt.NDArray[np.float64]
    """[examples, labels]: what was said of each example while it was left out."""


def fit(
    model: ModelId,
    vectors: Rows,
    answers: Sequence[str],
    role: Role,
    inverse_penalty: float = 30.0,
    *,
    balanced: bool = False,
) -> Fitted:
    """Multinomial logistic regression from unit `vectors` [texts, dimensions] to `answers`, calibrated by temperature.

    `inverse_penalty`: E5's vectors lie close together (cosines 0.7 to 0.9), so that scikit-learn's default of 1 leaves
    the weights too small to part them. `balanced`: every label counts alike, however many examples it has.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from threadpoolctl import threadpool_limits

    regression = LogisticRegression(C=inverse_penalty, max_iter=2000, class_weight="balanced" if balanced else None)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    # One thread: beside busy processes BLAS threads wait for each other, and half a second becomes half a minute.
    with threadpool_limits(1):
        said = cross_val_predict(regression, vectors, answers, cv=folds, method="predict_proba")
        regression.fit(vectors, answers)
    labels = tuple(str(label) for label in regression.classes_)
    truth = np.array(labels) == np.array(answers)[:, None]
    unseen = np.log(np.maximum(said, 1e-12))
    divisor = temperature(unseen, truth)
    # Of two labels scikit-learn keeps the second one's weights alone.
    weights, biases = (
        (regression.coef_, regression.intercept_)
        if len(labels) > 2
        else (np.vstack([0 * regression.coef_, regression.coef_]), np.append(0, regression.intercept_))
    )
    head = SoftmaxHead(model, labels, role, weights.astype(np.float32), biases.astype(np.float32), divisor)
    accuracy = float((unseen.argmax(axis=1) == truth.argmax(axis=1)).mean())
    return Fitted(head, accuracy, np.asarray(softmax(unseen / divisor), dtype=np.float64))
