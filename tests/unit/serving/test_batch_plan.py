from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from rapport.models.packing import SHORT_ROW
from rapport.serving.batch_plan import alike, packed


@dataclass(frozen=True)
class Text:
    number: int
    sequence: Sequence[int]


def texts(lengths: Sequence[int]) -> list[Text]:
    return [Text(number, range(length)) for number, length in enumerate(lengths)]


@given(st.lists(st.integers(1, 512), max_size=60), st.integers(1, 4000))
def test_every_text_runs_once_and_no_part_is_too_large(lengths: list[int], most: int) -> None:
    parts = list(alike(texts(lengths), most))
    assert sorted(text.number for part in parts for text in part) == list(range(len(lengths)))
    for part in parts:
        padded = len(part) * max(len(text.sequence) for text in part)
        assert len(part) == 1 or padded <= most


def test_a_long_text_does_not_make_short_ones_long() -> None:
    parts = list(alike(texts([500, *[10] * 50]), 10_000))
    assert [len(part) for part in parts] == [50, 1]


def test_texts_of_nearly_one_length_stay_together() -> None:
    assert len(list(alike(texts([5, 8, 12, 20, 9, 30]), 2048))) == 1


@given(st.lists(st.integers(1, 512), max_size=60), st.integers(1, 4000))
def test_packed_parts_keep_short_and_long_texts_apart(lengths: list[int], most: int) -> None:
    parts = list(packed(texts(lengths), most))
    assert sorted(text.number for part in parts for text in part) == list(range(len(lengths)))
    for part in parts:
        sizes = [len(text.sequence) for text in part]
        assert len(part) == 1 or sum(sizes) <= most
        assert max(sizes) <= SHORT_ROW or min(sizes) > SHORT_ROW
