"""Labels and examples from files, how they are split, and how a classifier is scored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rapport.ops.errors import InvalidRequest
from services.profiler.domain.learned import Buying, Learned, Membership, Visit
from services.profiler.training.examples import Example, read_examples, split
from services.profiler.training.labels import read_labels
from services.profiler.training.scoring import score


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


def test_corrected_labels(tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text("customer_id,label\nc1,VIP\nc2,\nc1,Loyal\n", encoding="utf-8")
    assert read_labels(file) == {"c1": "Loyal"}
    with pytest.raises(InvalidRequest):
        read_labels(tmp_path / "none.csv")


def test_scores_label_by_label() -> None:
    shares = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]], dtype=np.float32)
    found = score(shares, ["a", "b"], ["a", "a", "b", "b"])
    a, b = found.labels
    assert found.accuracy == 0.75
    assert a.precision == pytest.approx(2 / 3)
    assert (a.recall, a.support) == (1.0, 2)
    assert (b.precision, b.recall) == (1.0, 0.5)
    assert found.metrics()["recall:b"] == 0.5


def test_two_ids_of_one_person_become_one_without_loss() -> None:
    known = Learned(
        {"taste": Membership("taste-1", "Runners", 5, 0.9)}, Visit("s1", looks=2), Buying(10, 20, 2, 2, 30.0)
    )
    guest = Learned({"taste": Membership("taste-2", "Cooks", 6, 0.8)}, Visit("s1", looks=3), Buying(5, 5, 1, 1, 0.0))
    guest.judge_aspect("price", -0.5, 7)
    merged = known.merged_with(guest)
    assert merged.memberships["taste"].name == "Runners"
    assert (merged.visit.looks, merged.buying.orders, merged.buying.first_at) == (5, 3, 5)
    assert merged.aspects == {"price": [(7, -0.5)]}
