"""Arrays on the wire: packed bytes with dtype and shape (`worker.v1.Tensor`)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from rapport.contracts.worker.v1.common_pb2 import Tensor
from rapport.ops.errors import InvalidRequest

Array = npt.NDArray[Any]
# Little-endian by contract, whatever the machine.
_DTYPES: dict[str, np.dtype[Any]] = {"float16": np.dtype("<f2"), "float32": np.dtype("<f4")}


def wire_dtype(name: str, field: str = "dtype") -> np.dtype[Any]:
    """The numpy dtype called `name` in a request or tensor; `InvalidRequest` naming `field` when there is none."""
    if name not in _DTYPES:
        raise InvalidRequest(f"no such dtype: {name[:40]!r}", field=field, fix=f"one of {', '.join(_DTYPES)}")
    return _DTYPES[name]


def to_tensor(array: Array, dtype: str = "float16") -> Tensor:
    """Packs `array` (any shape) row-major as `dtype`. Raises `InvalidRequest` for a dtype not on the wire."""
    packed = np.ascontiguousarray(array, dtype=wire_dtype(dtype))
    return Tensor(data=packed.tobytes(), dtype=dtype, shape=array.shape)


def from_tensor(tensor: Tensor, field: str = "tensor") -> Array:
    """The array of `tensor`: a read-only view in the wire's dtype and shape.

    Raises `InvalidRequest` naming `field` when the dtype is unknown or the bytes do not fill the shape.
    """
    dtype = wire_dtype(tensor.dtype, f"{field}.dtype")
    expected = math.prod(tensor.shape) * dtype.itemsize
    if len(tensor.data) != expected:
        raise InvalidRequest(
            f"{len(tensor.data)} bytes, but shape {list(tensor.shape)} of {tensor.dtype} takes {expected}",
            field=f"{field}.data",
        )
    return np.frombuffer(tensor.data, dtype=dtype).reshape(tuple(tensor.shape))
