"""Labelled text from files, how it is split, and how a classifier is scored on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rapport.models.calibration import softmax, temperature
from rapport.models.tuning.examples import Example, read_examples, split, truth_of
from rapport.models.tuning.scoring import score
from rapport.ops.errors import InvalidRequest


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("e.csv", ["label,text", *(f'{"good" if n % 2 else "bad"},"text, {n}"' for n in range(20))]),
        ("e.tsv", ["label\ttext", *(f"{'good' if n % 2 else 'bad'}\ttext, {n}" for n in range(20))]),
        ("e.jsonl", [f'{{"label": "{"good" if n % 2 else "bad"}", "text": "text, {n}"}}' for n in range(20)]),
    ],
)
def test_examples_come_from_the_usual_files(tmp_path: Path, name: str, lines: list[str]) -> None:
    (tmp_path / name).write_text("\n".join(lines), encoding="utf-8")
    found = read_examples(tmp_path / name)
    assert len(found) == 20
    assert found[3] == Example("good", "text, 3")


@pytest.mark.parametrize("content", ["label,text\ngood,only one label\n" * 3, "text,label\n", "{not json", ""])
def test_a_file_that_teaches_nothing_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "e.csv").write_text(content, encoding="utf-8")
    with pytest.raises(InvalidRequest):
        read_examples(tmp_path / "e.csv")


def test_a_split_keeps_the_labels_in_proportion_and_repeats_itself() -> None:
    examples = [Example("rare" if n % 10 == 0 else "common", str(n)) for n in range(200)]
    kept, aside = split(examples, 0.2)
    assert len(aside) == 40
    assert sum(each.label == "rare" for each in aside) == 4
    assert not {each.text for each in kept} & {each.text for each in aside}
    assert split(examples, 0.2) == (kept, aside)


def test_scores_label_by_label() -> None:
    shares = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]], dtype=np.float32)
    found = score(shares, ["a", "b"], truth_of([Example(label, "") for label in "aabb"], ["a", "b"]))
    a, b = found.labels
    assert found.accuracy == 0.75
    assert a.precision == pytest.approx(2 / 3)
    assert (a.recall, a.support) == (1.0, 2)
    assert (b.precision, b.recall) == (1.0, 0.5)
    assert found.metrics()["recall:b"] == 0.5


def test_a_label_that_was_never_learned_counts_as_wrong() -> None:
    truth = truth_of([Example("a", ""), Example("new", "")], ["a", "b"])
    assert score(np.array([[0.9, 0.1], [0.9, 0.1]], dtype=np.float32), ["a", "b"], truth).accuracy == 0.5


def test_scores_of_several_labels_at_once() -> None:
    shares = np.array([[0.9, 0.8], [0.2, 0.1], [0.9, 0.6]], dtype=np.float32)
    truth = truth_of([Example("a", "", ("b",)), Example("", ""), Example("a", "")], ["a", "b"])
    found = score(shares, ["a", "b"], truth, multi_label=True)
    assert found.accuracy == pytest.approx(2 / 3)
    assert found.micro_f1 == pytest.approx(6 / 7)
    assert (found.labels[0].f1, found.labels[1].precision) == (1.0, 0.5)


def test_a_temperature_turns_confidence_into_the_share_that_is_right() -> None:
    """Scores that say 98 % and are right four times of five."""
    dice = np.random.default_rng(0)
    truth = np.eye(2, dtype=bool)[(dice.random(2000) < 0.8).astype(int)]
    scores = np.tile(np.array([[0.0, 4.0]]), (2000, 1))
    said = softmax(scores / temperature(scores, truth))[:, 1]
    assert said.mean() == pytest.approx(0.8, abs=0.03)
