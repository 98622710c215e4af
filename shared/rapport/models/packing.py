"""Several short texts in one row, so that next to nothing is padded: each sees itself alone, by the attention mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]

# Tokens of a row of short texts. Attention costs with the row's length: 3 % of a small encoder's work at 64.
SHORT_ROW = 64
# Longer rows come in steps, so that the runtime meets few shapes.
_STEP = 64
# Rows that are tried for a text; first fit in all of them would cost more than the padding it saves.
_TRIED = 8
# Added to the scores of pairs that must not see each other; far enough below any score, and finite in half precision.
_HIDDEN = -1e4


@dataclass(frozen=True, slots=True)
class Packed:
    """Rows of texts. `ids` and `positions` int32 [rows, length]; `mask` float32 [rows, 1, length, length], to be added
    to attention scores; `starts` and `lengths` int [texts]: where each text lies in the flattened rows.
    """

    ids: Ints
    positions: Ints
    mask: Floats
    starts: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]


def pack(sequences: Sequence[Sequence[int]], padding: int, first_position: int = 0) -> Packed:
    """`sequences` (none empty), longest first into the first of a few open rows that has room.

    `first_position`: 0 for BERT, padding id + 1 for RoBERTa's kin.
    """
    lengths = np.fromiter(map(len, sequences), dtype=np.int64, count=len(sequences))
    longest = int(lengths.max())
    row_length = SHORT_ROW if longest <= SHORT_ROW else -(-longest // _STEP) * _STEP
    filled: list[int] = []
    starts = np.zeros(len(sequences), dtype=np.int64)
    for text in np.argsort(-lengths, kind="stable"):
        length = int(lengths[text])
        open_rows = range(max(0, len(filled) - _TRIED), len(filled))
        row = next((row for row in open_rows if filled[row] + length <= row_length), len(filled))
        if row == len(filled):
            filled.append(0)
        starts[text] = row * row_length + filled[row]
        filled[row] += length
    size = len(filled) * row_length
    ids, positions = np.full(size, padding, dtype=np.int32), np.zeros(size, dtype=np.int32)
    owners = np.full(size, -1, dtype=np.int32)
    for text, sequence in enumerate(sequences):
        place = slice(starts[text], starts[text] + lengths[text])
        ids[place], owners[place] = sequence, text
        positions[place] = np.arange(first_position, first_position + lengths[text])
    rows = owners.reshape(-1, row_length)
    # Padding sees padding: a row of scores with nothing visible would not be a number.
    same = rows[:, None, :, None] == rows[:, None, None, :]
    mask = np.where(same, np.float32(0), np.float32(_HIDDEN))
    return Packed(ids.reshape(rows.shape), positions.reshape(rows.shape), mask, starts, lengths)


def pooled(hidden: Floats, packed: Packed, pooling: str) -> Floats:
    """Unit vectors float32 [texts, dimensions] from `hidden` [rows, length, dimensions]: means, or first tokens."""
    flat = hidden.reshape(-1, hidden.shape[-1])
    if pooling == "cls":
        vectors = np.array(flat[packed.starts], dtype=np.float32)
    else:
        vectors = np.empty((len(packed.starts), flat.shape[1]), dtype=np.float32)
        for text, (start, length) in enumerate(zip(packed.starts, packed.lengths, strict=True)):
            np.mean(flat[start : start + length], axis=0, out=vectors[text])
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)
