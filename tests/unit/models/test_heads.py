from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rapport.models.heads import SoftmaxHead, fit
from rapport.models.ports import ModelId, Role, Rows
from rapport.ops.errors import ModelError


def clouds() -> tuple[Rows, list[str]]:
    """Three clouds of unit vectors, 20 each."""
    dice = np.random.default_rng(0)
    rows = np.concatenate([dice.normal(centre, 0.3, (20, 5)) for centre in np.eye(3, 5)])
    answers = [label for label in ("negative", "neutral", "positive") for _ in range(20)]
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), answers


def test_a_fitted_head_survives_the_disk_and_answers_alike(tmp_path: Path) -> None:
    rows, answers = clouds()
    fitted = fit(ModelId("test/head", "1"), rows, answers, Role.QUERY)
    fitted.head.save(tmp_path)
    loaded = SoftmaxHead.load(tmp_path)
    assert (loaded.model, loaded.labels, loaded.role) == (
        fitted.head.model,
        ("negative", "neutral", "positive"),
        Role.QUERY,
    )
    probabilities = loaded.probabilities(rows)
    assert np.allclose(probabilities, fitted.head.probabilities(rows), atol=1e-6)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    guesses = [loaded.labels[column] for column in probabilities.argmax(axis=1)]
    assert np.mean([guess == answer for guess, answer in zip(guesses, answers, strict=True)]) > 0.9
    assert 0.8 < fitted.held_out_accuracy <= 1


def test_labels_that_say_nothing_score_as_chance() -> None:
    rows, answers = clouds()
    shuffled = list(np.random.default_rng(1).permutation(answers))
    assert fit(ModelId("test/head", "1"), rows, shuffled, Role.QUERY).held_out_accuracy < 0.6


def test_extreme_scores_stay_probabilities() -> None:
    head = SoftmaxHead(
        ModelId("t", "1"), ("a", "b"), Role.QUERY, np.array([[500], [-500]], np.float32), np.zeros(2, np.float32)
    )
    assert head.probabilities(np.array([[1], [-1]], np.float32)).tolist() == [[1, 0], [0, 1]]


def test_a_folder_without_a_head_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=tmp_path.name):
        SoftmaxHead.load(tmp_path)
