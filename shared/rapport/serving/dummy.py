"""Models without weights: deterministic, instant, and near enough to the real ones that whole systems can be tested.

Texts that share words, or pairs of Chinese characters, get near vectors; the text model answers with what it was told.
"""

from __future__ import annotations

import random
import re
import zlib
from collections import deque
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from rapport.models.ports import ModelId, Role, Rows, Sampling, Step
from rapport.text.tokens import tokens

# As many as the real small encoder has.
_DIMENSIONS = 384
# Components that one word touches: enough that two words seldom share all, few enough that words stay apart.
_TOUCHED = 8
# A word with the blanks behind it, or one Chinese character.
_PIECES = re.compile(r"[\u3400-\u9fff]|[^\s\u3400-\u9fff]+\s*|\s+")
# Ids that a word may get; words of a text that count, like a real model's window.
_IDS, _WINDOW = 1 << 30, 512


class DummyEncoder:
    """A hashed bag of words as a `SequenceBackend`. Roles make no difference."""

    model: ClassVar[ModelId] = ModelId("rapport/dummy-encoder", "1")
    dimensions: ClassVar[int] = _DIMENSIONS
    batch_tokens: ClassVar[int] = 2048

    def tokenize(self, texts: Sequence[str], role: Role) -> list[list[int]]:  # noqa: ARG002
        """One id a word; 0 for a text without words."""
        return [[zlib.crc32(word.encode()) % _IDS for word in tokens(text)[:_WINDOW]] or [0] for text in texts]

    def forward(self, sequences: Sequence[Sequence[int]]) -> Rows:
        """float32 [sequences, 384], L2 norm 1: the sum of a few signed components for each word."""
        rows = np.zeros((len(sequences), _DIMENSIONS), dtype=np.float32)
        for row, sequence in zip(rows, sequences, strict=True):
            for token in sequence:
                dice = np.random.default_rng(token)
                row[dice.integers(_DIMENSIONS, size=_TOUCHED)] += dice.choice((-1.0, 1.0), size=_TOUCHED)
            # Words can cancel each other out, and a zero has no direction.
            row[0] += 0.0 if row.any() else 1.0
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


class DummyHead:
    """Sentiment by the nearest of a few telling words, as a `Head` on `DummyEncoder`'s vectors."""

    model: ClassVar[ModelId] = ModelId("rapport/dummy-sentiment", "1")
    labels: ClassVar[tuple[str, ...]] = ("negative", "neutral", "positive")
    role: ClassVar[Role] = Role.QUERY

    _TELLING: ClassVar[tuple[str, ...]] = (
        "bad terrible broken hate slow worst disappointed 太差 坏了 失望 糟糕",
        "when where which how what 什么 哪里 怎么 吗",
        "good great love perfect excellent happy best 很好 喜欢 满意 不错",
    )
    # Turns cosines of about 0.3 for one telling word in a sentence into clear probabilities.
    _SHARPNESS: ClassVar[float] = 12.0

    def probabilities(self, vectors: Rows) -> Rows:
        """float32 [texts, 3], rows sum to 1."""
        encoder = DummyEncoder()
        centres = encoder.forward(encoder.tokenize(self._TELLING, self.role))
        powers = np.exp(self._SHARPNESS * (vectors @ centres.T))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float32)


class DummyDecoder:
    """Says back what it was told last, a word a step; a temperature above 0 shuffles the words by the seed."""

    model: ClassVar[ModelId] = ModelId("rapport/dummy-generator", "1")
    context: ClassVar[int] = 8192
    slots: ClassVar[int] = 4

    def prompt(self, turns: Sequence[tuple[str, str]]) -> list[int]:
        """One id a character: its code point, and 0 between turns."""
        return [ord(character) for character in "\0".join(content for _, content in turns)]

    def begin(self, prompt: Sequence[int], sampling: Sampling) -> DummyDecoding:
        """The last turn's words, to be said."""
        pieces = _PIECES.findall("".join(map(chr, prompt)).rpartition("\0")[2])
        if sampling.temperature > 0:
            pieces = [f"{piece.strip()} " for piece in pieces if piece.strip()]
            random.Random(sampling.seed).shuffle(pieces)
        return DummyDecoding(pieces)


class DummyDecoding:
    """Words that are still to be said."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self._pieces = deque(pieces)

    def step(self) -> Step:
        """The next word, or the end."""
        return Step(self._pieces.popleft(), 1, ended=False) if self._pieces else Step("", 1, ended=True)
