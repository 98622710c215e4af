"""Models without weights: deterministic, instant, and near enough to the real ones that whole systems can be tested.

Texts that share words, or pairs of Chinese characters, get near vectors; the text model answers with what it was told.
"""

from __future__ import annotations

import random
import re
import zlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rapport.models.ports import PAIR, ModelId, Role, Rows
from rapport.models.text_ports import Constraint, Sampling, Step
from rapport.ops.errors import NotFound
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

    dimensions: ClassVar[int] = _DIMENSIONS
    batch_tokens: ClassVar[int] = 2048

    def __init__(self, revision: str = "1") -> None:
        self.model = ModelId("rapport/dummy-encoder", revision)

    def tokenize(self, texts: Sequence[str], role: Role) -> list[list[int]]:
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


class DummyReranker:
    """The share of the query's words that a passage has, as a `SequenceBackend`; texts are query + `PAIR` + passage."""

    dimensions: ClassVar[int] = 1
    batch_tokens: ClassVar[int] = 2048
    model: ClassVar[ModelId] = ModelId("rapport/dummy-reranker", "1")

    def tokenize(self, texts: Sequence[str], role: Role) -> list[list[int]]:
        """Ids of the query's words, 0, ids of the passage's."""
        pairs = [text.partition(PAIR) for text in texts]
        return [[*_word_ids(query), 0, *_word_ids(passage)] for query, _, passage in pairs]

    def forward(self, sequences: Sequence[Sequence[int]]) -> Rows:
        """float32 [pairs, 1], 0 to 1."""
        parts = [(sequence[: sequence.index(0)], sequence[sequence.index(0) :]) for sequence in sequences]
        shares = [len(set(query) & set(passage)) / max(1, len(set(query))) for query, passage in parts]
        return np.array(shares, dtype=np.float32)[:, None]


def _word_ids(text: str) -> list[int]:
    return [zlib.crc32(word.encode()) % _IDS or 1 for word in tokens(text)[:_WINDOW]]


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

    def probabilities(self, vectors: Rows, texts: Sequence[str] = ()) -> Rows:
        """float32 [texts, 3], rows sum to 1."""
        return self.told(vectors)[0]

    def told(self, vectors: Rows, texts: Sequence[str] = ()) -> tuple[Rows, Rows]:
        """`probabilities`, and energies float32 [texts]: high where no telling word is."""
        encoder = DummyEncoder()
        centres = encoder.forward(encoder.tokenize(self._TELLING, self.role))
        scores = np.asarray(self._SHARPNESS * (vectors @ centres.T), dtype=np.float32)
        powers = np.exp(scores)
        probabilities = np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float32)
        return probabilities, np.asarray(-np.logaddexp.reduce(scores, axis=1), dtype=np.float32)


class DummyDecoder:
    """Says back what it was told last, a word a step; a temperature above 0 shuffles the words by the seed.

    Adapters change nothing, and it keeps no constraint.
    """

    context: ClassVar[int] = 8192
    slots: ClassVar[int] = 4

    def __init__(self, revision: str = "1", adapters: tuple[str, ...] = ()) -> None:
        self.model = ModelId("rapport/dummy-generator", revision)
        self.adapters = adapters

    def prompt(self, turns: Sequence[tuple[str, str]]) -> list[int]:
        """One id a character: its code point, and 0 between turns."""
        return [ord(character) for character in "\0".join(content for _, content in turns)]

    def begin(
        self,
        prompt: Sequence[int],
        sampling: Sampling,
        constraint: Constraint | None = None,
        adapter: str = "",
    ) -> DummyDecoding:
        """The last turn's words, to be said."""
        if adapter and adapter not in self.adapters:
            raise NotFound(
                f"no adapter {adapter[:100]!r} here",
                field="adapter",
                fix=f"known: {', '.join(self.adapters) or 'there is none'}",
            )
        pieces = _PIECES.findall("".join(map(chr, prompt)).rpartition("\0")[2])
        if sampling.temperature > 0:
            pieces = [f"{piece.strip()} " for piece in pieces if piece.strip()]
            random.Random(sampling.seed).shuffle(pieces)
        return DummyDecoding(deque(pieces))

    def step(self, texts: Sequence[DummyDecoding]) -> list[Step]:
        """The next word of each, or its end."""
        return [
            Step(text.pieces.popleft(), 1, ended=False) if text.pieces else Step("", 1, ended=True) for text in texts
        ]

    def end(self, text: DummyDecoding) -> None:
        """Nothing is held."""

    def rebuild(self) -> None:
        """Nothing can break."""


@dataclass(slots=True)
class DummyDecoding:
    """Words that are still to be said."""

    pieces: deque[str]
    reused_tokens: int = 0
