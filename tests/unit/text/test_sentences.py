"""Sentences, each found again at its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.text.sentences import split_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("You have 30 days. Then it is too late!", ["You have 30 days.", "Then it is too late!"]),
        ("它很轻。抓地也好！要买吗？", ["它很轻。", "抓地也好！", "要买吗？"]),
        ("他说：“很好。”我同意。", ["他说：“很好。”", "我同意。"]),
        ("It costs 12.50 EUR, approx. 13 USD. Fine", ["It costs 12.50 EUR, approx. 13 USD.", "Fine"]),
        ("Ask Dr. Smith, e.g. by mail. J. Doe knows.", ["Ask Dr. Smith, e.g. by mail.", "J. Doe knows."]),
        ("Returns\n\nWithin 30 days\nFree", ["Returns", "Within 30 days", "Free"]),
        ("Wait... what?! Really?", ["Wait...", "what?!", "Really?"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, sentences: list[str]) -> None:
    assert [sentence.text for sentence in split_sentences(text)] == sentences


@given(st.text(alphabet="ab 。.!？\n”。e.g. Dr. 好", max_size=60))
def test_every_sentence_stands_at_its_place_and_no_letter_is_lost(text: str) -> None:
    found = split_sentences(text)
    assert all(text[sentence.start : sentence.end] == sentence.text for sentence in found)
    assert "".join("".join(sentence.text.split()) for sentence in found) == "".join(text.split())
