"""Which texts run together: of like length, so that little is padded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar

from rapport.models.packing import SHORT_ROW

# Padding beyond a quarter of the real tokens and these comes to more time than a further execution (some 7 ms against
# 11 tokens a millisecond on 2 CPU cores; a text padded from 20 to 500 tokens costs as much as 25 texts).
_WASTED_SHARE, _WASTED_TOKENS = 0.25, 96


class Sized(Protocol):
    @property
    def sequence(self) -> Sequence[int]: ...


Text = TypeVar("Text", bound=Sized)


def packed(texts: Sequence[Text], most_tokens: int) -> Iterator[list[Text]]:
    """For a backend that puts several texts into a row: `texts` by length, in parts of at most `most_tokens` (single
    giants aside), short ones apart from long ones: attention costs with the longest of a part."""
    part: list[Text] = []
    tokens = 0
    for text in sorted(texts, key=lambda one: len(one.sequence)):
        length = len(text.sequence)
        if part and (tokens + length > most_tokens or len(part[-1].sequence) <= SHORT_ROW < length):
            yield part
            part, tokens = [], 0
        part.append(text)
        tokens += length
    if part:
        yield part


def alike(texts: Sequence[Text], most_tokens: int) -> Iterator[list[Text]]:
    """`texts` by length, in parts of at most `most_tokens` when padded (single giants aside), little of it padding."""
    part: list[Text] = []
    real = 0
    for text in sorted(texts, key=lambda one: len(one.sequence)):
        length = len(text.sequence)
        padded = (len(part) + 1) * length
        if part and (padded > most_tokens or padded > (1 + _WASTED_SHARE) * (real + length) + _WASTED_TOKENS):
            yield part
            part, real = [], 0
        part.append(text)
        real += length
    if part:
        yield part
