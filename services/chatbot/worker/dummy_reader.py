"""A reader without weights: the first number of a passage answers whatever is asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from rapport.models.ports import ModelId, Role, Rows
from rapport.models.spans import Pair

_WORD = re.compile(r"\S+")
# Ids of a word, and of one that has a digit.
_PLAIN, _NUMBER = 1, 2
# Log odds of an answer, and of none.
_SURE, _NEVER = 5.0, -1e4


class DummyReader:
    """A `SpanBackend`."""

    dimensions: ClassVar[int] = 4
    batch_tokens: ClassVar[int] = 2048

    def __init__(self, revision: str) -> None:
        self.model = ModelId("rapport/dummy-reader", revision)

    def windows(self, question: str, passage: str) -> list[Pair]:
        """One, of the passage's words behind a mark."""
        words = list(_WORD.finditer(passage))
        ids = [_NUMBER if any(map(str.isdigit, word.group())) else _PLAIN for word in words]
        return [Pair([0, *ids], 1, [word.span() for word in words])]

    def tokenize(self, texts: Sequence[str], role: Role) -> list[list[int]]:
        return [self.windows("", text)[0].ids for text in texts]

    def forward(self, sequences: Sequence[Sequence[int]]) -> Rows:
        """float32 [sequences, 4]."""
        found = [(ids.index(_NUMBER), _SURE) if _NUMBER in ids else (min(1, len(ids) - 1), _NEVER) for ids in sequences]
        return np.array([(at, at, odds, odds) for at, odds in found], dtype=np.float32)
