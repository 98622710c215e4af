"""Texts that a reader takes for the same give the same tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.text.normalise import normalise
from rapport.text.tokens import tokens


def test_words_numbers_and_chinese_pairs() -> None:
    assert tokens("Trail Runner 2，防水跑鞋") == ["trail", "runner", "2", "防水", "水跑", "跑鞋"]
    assert tokens("7.5 mm drop, don't worry. 鞋") == ["7.5", "mm", "drop", "don't", "worry", "鞋"]
    assert tokens("iPhone15手机壳") == ["iphone15", "手机", "机壳"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ＡＢＣ１２３", "abc123"),
        ("Don’t", "don't"),
        ("zero\u200bwidth", "zerowidth"),
        ("STRASSE", "straße"),
        ("  a\t\nb ", "a b"),
        ("cafe\u200d\u0301", "café"),
    ],
)
def test_what_looks_alike_is_alike(one: str, other: str) -> None:
    assert tokens(one) == tokens(other)


@given(st.text())
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
