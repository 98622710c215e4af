from __future__ import annotations

from rapport.models.torch_encoder import _round_up


def test_sizes_are_rounded_up_by_a_quarter_at_most() -> None:
    rounded = {size: _round_up(size) for size in range(1, 513)}
    assert all(size <= up < size * 1.25 + 1 for size, up in rounded.items())
    assert len(set(rounded.values())) == 32
    assert rounded[512] == 512
    assert [rounded[size] for size in (1, 7, 9, 17, 33, 400)] == [1, 7, 10, 20, 40, 448]
