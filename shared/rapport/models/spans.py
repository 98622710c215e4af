"""Question and passage as one sequence of tokens, and the span of the passage that a network's scores point at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from rapport.models.folder import read_json
from rapport.models.ports import Rows
from rapport.ops.errors import ModelError

# Tokens of one sequence, and how many of a passage that is longer two neighbouring windows share (BERT, for SQuAD: 384
# and 128): an answer is not cut in two.
_WINDOW, _SHARED = 384, 128
# Tokens of a question that are read: a longer one would leave the passage no room.
_QUESTION = 64
# Tokens of an answer. Nine of ten answers have fewer than ten.
_LONGEST = 30
# Log odds of what cannot be; finite, as rows of numbers that are not are refused on their way.
_NEVER = -1e4
NOWHERE = 0
"""The token, the sequence's first mark, that a network points at when the passage does not answer."""


@dataclass(frozen=True, slots=True)
class Pair:
    """`ids` from `first` to before `last` are the passage's; `offsets`: their characters in the passage."""

    ids: list[int]
    first: int
    offsets: Sequence[tuple[int, int]]

    @property
    def last(self) -> int:
        return self.first + len(self.offsets)

    def characters(self, start: int, end: int) -> tuple[int, int]:
        """Of the tokens `start` to `end`, both inclusive and counted as in `ids`: first character and one past."""
        return self.offsets[start - self.first][0], self.offsets[end - self.first][1]

    def tokens(self, start: int, end: int) -> tuple[int, int]:
        """Of the characters from `start` to before `end`; `NOWHERE` when this window does not hold them all."""
        inside = [at for at, (begin, stop) in enumerate(self.offsets) if begin < end and stop > start]
        whole = inside and self.offsets[inside[0]][0] <= start and self.offsets[inside[-1]][1] >= end
        return (self.first + inside[0], self.first + inside[-1]) if whole else (NOWHERE, NOWHERE)


class Pairs:
    """Makes sequences: a mark, the question, marks, the passage, a mark, as the folder's tokenizer joins two texts."""

    def __init__(self, folder: Path, window: int = _WINDOW, shared: int = _SHARED) -> None:
        """`window`: tokens of a sequence; `shared`: those of the passage that two neighbouring windows have.

        Raises `ModelError` when `folder` has no tokenizer, or one that does not join texts."""
        if not (folder / "tokenizer.json").is_file():
            raise ModelError(f"no tokenizer in {folder}: looked for tokenizer.json")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._marks: list[int] = self._tokenizer.encode("", "").ids
        if len(self._marks) < 3:
            raise ModelError(f"the tokenizer of {folder} sets no marks around two texts")
        config = read_json(folder / "config.json")
        self.padding = int(config.get("pad_token_id") or 0)
        self._window = min(window, int(config.get("max_position_embeddings", window)) - 2)
        # A network of short sequences keeps room for what is new in each.
        self._shared, self._question = min(shared, self._window // 3), min(_QUESTION, self._window // 3)

    def windows(self, question: str, passage: str) -> list[Pair]:
        """At least one; the passage's parts overlap."""
        asked, _ = self._plain(question)
        head = [self._marks[0], *asked[: self._question], *self._marks[1:-1]]
        ids, offsets = self._plain(passage)
        room = self._window - len(head) - 1
        starts = range(0, max(1, len(ids) - self._shared), room - self._shared) if len(ids) > room else (0,)
        return [
            Pair([*head, *ids[at : at + room], self._marks[-1]], len(head), offsets[at : at + room]) for at in starts
        ]

    def first(self, ids: Sequence[int]) -> int:
        """Where the passage begins in a sequence of `windows`."""
        return ids.index(self._marks[1], 1) + len(self._marks) - 2

    def _plain(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Without the marks, also those that the text spells out, which would move the passage's beginning."""
        found: Any = self._tokenizer.encode(text, add_special_tokens=False)
        # Read once: each look at `ids` or `offsets` copies the whole list.
        ids, offsets = found.ids, found.offsets
        kept = [at for at, id_ in enumerate(ids) if id_ not in self._marks]
        return [ids[at] for at in kept], [offsets[at] for at in kept]


@dataclass(frozen=True, slots=True)
class Found:
    """Tokens `start` to `end`, both inclusive. `odds`: log of P(this span) / P(no answer in this window); `answered`:
    of P(any span) / P(no answer)."""

    start: int
    end: int
    odds: float
    answered: float


def best_span(starts: npt.NDArray[np.float32], ends: npt.NDArray[np.float32], first: int, last: int) -> Found:
    """`starts`, `ends` [tokens]: scores. P(span) is the softmax of start + end over all spans of at most 30 tokens from
    `first` to before `last`, and over `NOWHERE` (Devlin et al. 2019, SQuAD 2.0)."""
    if first >= last:
        return Found(NOWHERE, NOWHERE, _NEVER, _NEVER)
    length = last - first
    grid = starts[first:last, None] + ends[None, first:last] - (starts[NOWHERE] + ends[NOWHERE])
    ahead = np.arange(length)[None, :] - np.arange(length)[:, None]
    grid = np.where((ahead >= 0) & (ahead < _LONGEST), grid, _NEVER)
    start, end = divmod(int(grid.argmax()), length)
    return Found(first + start, first + end, float(grid[start, end]), float(np.logaddexp.reduce(grid, axis=None)))


def padded(
    sequences: Sequence[Sequence[int]], padding: int, step: int = 1
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Ids and which of them are real, both [sequences, the longest's length rounded up to a multiple of `step`]."""
    length = -(-max(map(len, sequences)) // step) * step
    ids = np.full((len(sequences), length), padding, dtype=np.int64)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = sequence
    return ids, np.arange(length) < np.array([[len(each)] for each in sequences])


@dataclass(frozen=True, slots=True)
class Answered:
    """Characters `start` to before `end` of passage number `passage`."""

    passage: int
    start: int
    end: int
    probability: float


def answers(windows: Sequence[tuple[int, Pair]], rows: Rows) -> list[Answered]:
    """The best span of each passage that has one, the likeliest first.

    `windows`: number of the passage, and its stretch; `rows` [windows, 4]: what was `Found` in each. All windows share
    one "no answer", so the probabilities add up to at most 1.
    """
    if not len(rows):
        return []
    whole = np.logaddexp(0.0, np.logaddexp.reduce(rows[:, 3]))
    best: dict[int, Answered] = {}
    for (passage, pair), row in zip(windows, rows, strict=True):
        probability = float(np.exp(row[2] - whole))
        if pair.offsets and (passage not in best or probability > best[passage].probability):
            best[passage] = Answered(passage, *pair.characters(int(row[0]), int(row[1])), probability)
    return sorted(best.values(), key=lambda found: -found.probability)
