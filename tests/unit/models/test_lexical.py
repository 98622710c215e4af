"""The head that reads words beside vectors: what each part knows counts, and it is stored as it was fitted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rapport.models.heads import SoftmaxHead
from rapport.models.lexical import Fitted, fit, load_head
from rapport.models.ngrams import Ngrams
from rapport.models.ports import ModelId, Role, Rows

_PRAISE = ("lovely shoes", "a lovely bag", "really lovely", "鞋子很好看", "包很好看", "真的很好看")
_BLAME = ("awful shoes", "an awful bag", "really awful", "鞋子太难看", "包太难看", "真的太难看")
TEXTS = _PRAISE * 3 + _BLAME * 3
ANSWERS = ["good"] * 18 + ["bad"] * 18


def noise(seed: int) -> Rows:
    """Vectors that say nothing of the label."""
    rows = np.random.default_rng(seed).normal(size=(len(TEXTS), 8)).astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


@pytest.fixture(scope="module")
def by_words() -> Fitted:
    return fit(ModelId("shop/mood", "1"), noise(1), TEXTS, ANSWERS, Role.QUERY)


def test_words_decide_where_vectors_say_nothing(by_words: Fitted) -> None:
    head = by_words.head
    said = head.probabilities(noise(2)[:2], ["lovely socks", "袜子太难看"])
    assert [head.labels[column] for column in said.argmax(axis=1)] == ["good", "bad"]
    assert by_words.held_out_accuracy == 1.0


def test_vectors_decide_where_words_say_nothing() -> None:
    signs = np.where(np.array(ANSWERS) == "good", 1.0, -1.0)
    vectors = np.stack([signs, np.zeros(len(signs))], axis=1).astype(np.float32)
    texts = [f"parcel {number % 3}" for number in range(len(TEXTS))]
    head = fit(ModelId("shop/mood", "1"), vectors, texts, ANSWERS, Role.QUERY).head
    said = head.probabilities(vectors[[0, -1]], ["never heard", "of these"])
    assert [head.labels[column] for column in said.argmax(axis=1)] == ["good", "bad"]


def test_comes_back_from_its_folder_as_it_was(by_words: Fitted, tmp_path: Path) -> None:
    by_words.head.save(tmp_path)
    loaded = load_head(tmp_path)
    assert (loaded.model, loaded.labels, loaded.role, loaded.dimensions) == (
        ModelId("shop/mood", "1"),
        ("bad", "good"),
        Role.QUERY,
        8,
    )
    again, before = (head.probabilities(noise(3), TEXTS) for head in (loaded, by_words.head))
    assert np.allclose(again, before, atol=2e-3)
    assert np.allclose(again.sum(axis=1), 1)


def test_a_head_without_words_is_loaded_as_such(tmp_path: Path) -> None:
    weights = np.eye(2, dtype=np.float32)
    SoftmaxHead(ModelId("plain", "1"), ("a", "b"), Role.QUERY, weights, np.zeros(2, np.float32)).save(tmp_path)
    assert isinstance(load_head(tmp_path), SoftmaxHead)


def test_ngrams_of_a_single_text_are_left_out_and_an_empty_text_is_a_zero_row() -> None:
    ngrams = Ngrams.of(["red shoe", "red sock", "blue"])
    rows = ngrams.rows(["red", "blue", ""])
    assert rows.shape == (3, len(ngrams.buckets))
    assert np.isclose(float((rows[0].multiply(rows[0])).sum()), 1.0)
    assert rows[1].nnz < rows[0].nnz  # what "blue" shares with the others: its blanks and single letters
    assert not rows[2].nnz
