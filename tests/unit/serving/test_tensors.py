from __future__ import annotations

import numpy as np
import pytest

from rapport.contracts.worker.v1.common_pb2 import Tensor
from rapport.ops.errors import InvalidRequest
from rapport.serving.tensors import from_tensor, to_tensor


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("shape", [(3, 4), (5,), (0, 4), (2, 3, 4)])
def test_an_array_survives_the_wire(dtype: str, shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(1).standard_normal(shape).astype(dtype)
    back = from_tensor(Tensor.FromString(to_tensor(array, dtype).SerializeToString()))
    assert back.dtype == np.dtype(dtype)
    assert np.array_equal(back, array)


def test_column_major_and_sliced_arrays_keep_their_order() -> None:
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert np.array_equal(from_tensor(to_tensor(np.asfortranarray(array), "float32")), array)
    assert np.array_equal(from_tensor(to_tensor(array[:, ::2], "float32")), array[:, ::2])


@pytest.mark.parametrize(
    ("tensor", "field"),
    [
        (Tensor(data=b"1234", dtype="float32", shape=[2]), "vectors.data"),
        (Tensor(data=b"", dtype="float32", shape=[4_000_000_000, 4_000_000_000]), "vectors.data"),
        (Tensor(data=b"1234", dtype="float64", shape=[1]), "vectors.dtype"),
        (Tensor(data=b"1234", dtype="", shape=[1]), "vectors.dtype"),
    ],
)
def test_bytes_that_are_not_the_array_are_refused(tensor: Tensor, field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        from_tensor(tensor, "vectors")
    assert caught.value.field == field
