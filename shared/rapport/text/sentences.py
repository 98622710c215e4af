"""Sentences of English, Chinese and mixed text, each with its place, so that a quote can be shown word for word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

# Ends at 。！？ and the like with the quotes that close after them, at . ! ? before a space, and at every line break.
_END = re.compile(r"[。！？…]+[”’」』）)\"']*|[.!?]+[”’)\"']*(?=\s|$)|\n+")
_ABBREVIATION = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|prof|st|vs|no|nos|fig|approx|incl|excl|etc|e\.g|i\.e|inc|ltd|co|cm|mm|kg|oz|lb|ft|max|min)"
    r"|\b[A-Za-z])\.$",
    re.IGNORECASE,
)


class Sentence(NamedTuple):
    text: str
    start: int
    end: int
    """text == whole[start:end]"""


def split_sentences(text: str) -> list[Sentence]:
    """The sentences in order, without the white space around them; empty ones are left out."""
    return [sentence for start, end in _spans(text) if (sentence := _trimmed(text, start, end)).text]


def _spans(text: str) -> Iterator[tuple[int, int]]:
    begin = 0
    for match in _END.finditer(text):
        if not _goes_on(text, begin, match):
            yield begin, match.end()
            begin = match.end()
    yield begin, len(text)


def _goes_on(text: str, begin: int, match: re.Match[str]) -> bool:
    """A full stop after an abbreviation or an initial, or before a lower-case word, ends nothing."""
    if match.group() != ".":
        return False
    after = text[match.end() :].lstrip(" \t")
    if not after or after[0] == "\n":
        return False
    return after[0].islower() or _ABBREVIATION.search(text[begin : match.end()]) is not None


def _trimmed(text: str, start: int, end: int) -> Sentence:
    part = text[start:end]
    start += len(part) - len(part.lstrip())
    stripped = part.strip()
    return Sentence(stripped, start, start + len(stripped))
