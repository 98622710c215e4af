"""Packed rows: nothing lost, nothing mixed, next to nothing padded."""

from __future__ import annotations

import numpy as np
import pytest

from rapport.models.packing import SHORT_ROW, pack, pooled


def test_every_text_lies_where_it_is_said_to_and_sees_itself_alone() -> None:
    sequences = [[10 * number + at for at in range(number % 9 + 1)] for number in range(60)]
    packed = pack(sequences, padding=1)
    for sequence, start, length in zip(sequences, packed.starts, packed.lengths, strict=True):
        row, at = divmod(int(start), packed.ids.shape[1])
        assert packed.ids[row, at : at + length].tolist() == sequence
        assert packed.positions[row, at : at + length].tolist() == list(range(len(sequence)))
        seen = packed.mask[row, 0, at] == 0
        assert np.flatnonzero(seen).tolist() == list(range(at, at + length))
    assert packed.ids.size < 1.25 * sum(map(len, sequences)) + SHORT_ROW


@pytest.mark.parametrize(("longest", "row"), [(5, 64), (64, 64), (65, 128), (512, 512)])
def test_rows_are_as_long_as_the_longest_text_needs(longest: int, row: int) -> None:
    assert pack([[7] * longest, [7]], padding=0).ids.shape[1] == row


def test_positions_begin_where_the_family_begins() -> None:
    assert pack([[5, 6]], padding=1, first_position=2).positions[0, :2].tolist() == [2, 3]


@pytest.mark.parametrize(("pooling", "wanted"), [("mean", [[0.6, 0.8], [1.0, 0.0]]), ("cls", [[1.0, 0.0], [1.0, 0.0]])])
def test_pooling_takes_each_text_s_own_tokens(pooling: str, wanted: list[list[float]]) -> None:
    packed = pack([[1, 2], [3]], padding=0)
    hidden = np.full((1, SHORT_ROW, 2), 99, dtype=np.float32)
    hidden[0, :3] = [[3.0, 0.0], [3.0, 8.0], [5.0, 0.0]]
    assert pooled(hidden, packed, pooling).tolist() == pytest.approx(np.array(wanted), abs=1e-6)
