"""Vectors as bytes: eight bytes and more of header, then the numbers.

    byte 0      layout version, 1
    byte 1      dtype: 1 = float16, 2 = float32
    byte 2      number of dimensions n
    byte 3      0
    4 … 4+4n    the shape, little-endian uint32
    then        the numbers, row-major, little-endian

float16 halves memory and wire, and moves a cosine of unit vectors by less than 0.001.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from rapport.ops.errors import InvalidRequest, SchemaViolation

Array = npt.NDArray[np.floating[Any]]
Float32 = npt.NDArray[np.float32]

_VERSION = 1
_DTYPES: dict[int, np.dtype[Any]] = {1: np.dtype("<f2"), 2: np.dtype("<f4")}
_CODES = {dtype: code for code, dtype in _DTYPES.items()}
_HALF = _DTYPES[1]


def pack(vectors: Array, dtype: npt.DTypeLike = _HALF) -> bytes:
    """Bytes of an array of any shape. Raises `InvalidRequest` for another dtype, or a number that dtype cannot hold."""
    wanted = np.dtype(dtype).newbyteorder("<")
    if wanted not in _CODES:
        raise InvalidRequest(f"cannot pack {dtype}", field="dtype", fix="float16 or float32")
    with np.errstate(over="ignore"):
        numbers = np.ascontiguousarray(vectors, dtype=wanted)
    if not np.isfinite(numbers).all():
        raise InvalidRequest(f"not finite as {wanted.name}", field="vectors")
    shape = numbers.shape
    return struct.pack(f"<BBBB{len(shape)}I", _VERSION, _CODES[wanted], len(shape), 0, *shape) + numbers.tobytes()


def unpack(data: bytes) -> Float32:
    """The array, as float32 since numpy computes with float16 slowly. Raises `SchemaViolation` for other bytes."""
    if len(data) < 4 or data[0] != _VERSION or data[1] not in _DTYPES:
        raise SchemaViolation(f"not packed vectors: {data[:4]!r}")
    dtype, dimensions = _DTYPES[data[1]], data[2]
    begin = 4 + 4 * dimensions
    if len(data) < begin:
        raise SchemaViolation("packed vectors are cut short")
    shape = struct.unpack_from(f"<{dimensions}I", data, 4)
    numbers = np.frombuffer(data, dtype=np.uint8, offset=begin)
    if numbers.size != int(np.prod(shape, dtype=np.int64)) * dtype.itemsize:
        raise SchemaViolation(f"packed vectors of shape {shape} have {numbers.size} bytes")
    return numbers.view(dtype).reshape(shape).astype(np.float32)
