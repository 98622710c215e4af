"""Vectors come back as they went, and bytes that are no vectors are refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from rapport.ops.errors import InvalidRequest, SchemaViolation
from rapport.vectors.packing import Float32, pack, unpack


@given(
    arrays.arrays(
        np.float16, arrays.array_shapes(max_dims=3, min_side=0, max_side=5), elements=st.floats(-1000, 1000, width=16)
    )
)
def test_half_precision_comes_back_exactly(vectors: Float32) -> None:
    back = unpack(pack(vectors))
    assert back.shape == vectors.shape
    assert back.dtype == np.float32
    assert (back == vectors).all()


def test_the_layout_is_the_documented_one() -> None:
    assert pack(np.array([[1.0, -2.0]])) == bytes.fromhex("010102000100000002000000003c00c0")
    assert pack(np.array([1.0]), np.float32) == bytes.fromhex("01020100010000000000803f")


def test_half_precision_hardly_moves_a_cosine() -> None:
    one, other = np.random.default_rng(1).standard_normal((2, 384)).astype(np.float32)
    one, other = one / np.linalg.norm(one), other / np.linalg.norm(other)
    assert abs(float(unpack(pack(one)) @ unpack(pack(other))) - float(one @ other)) < 1e-3
    assert len(pack(one)) == 8 + 2 * 384


@pytest.mark.parametrize("vectors", [np.array([np.nan]), np.array([np.inf]), np.array([1e6])])
def test_numbers_that_do_not_fit_are_refused(vectors: Float32) -> None:
    with pytest.raises(InvalidRequest, match="not finite as float16"):
        pack(vectors)


def test_other_types_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="float16 or float32"):
        pack(np.array([1.0]), np.int8)


@given(st.binary(max_size=40))
def test_other_bytes_are_refused(data: bytes) -> None:
    try:
        back = unpack(data)
    except SchemaViolation:
        return
    assert 4 + 4 * back.ndim + back.size * (2 if data[1] == 1 else 4) == len(data)
