"""The packed weights' reader, on a file written by hand."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from rapport.models.e5_file import E5File
from rapport.ops.errors import ModelError


def packed(matrix: np.ndarray, scale: float) -> bytes:
    """4-bit blocks of whole numbers -8..7."""
    blocks = (matrix.reshape(-1, 32) + 8).astype(np.uint8)
    halves = blocks[:, :16] | blocks[:, 16:] << 4
    scales = np.full((len(blocks), 1), scale, np.float16).view(np.uint8)
    return np.concatenate([scales, halves], axis=1).tobytes()


def write(file: Path, blobs: dict[str, bytes], hidden: int = 384) -> None:
    head = b"E5S1" + struct.pack("<I7ifi", 1, hidden, 0, 12, 1536, 2, 512, 2, 1e-12, 0)
    head += struct.pack("<i4iQ", 1, 0, 2, 1, 3, 5)
    head += struct.pack("<2I", 0, 5) + struct.pack("<f", 0.0) + b"piece"
    head += struct.pack("<iI", 0, 3) + b"map" + struct.pack("<i", len(blobs))
    entries = sum(2 + len(name) + 1 + 4 + 16 for name in blobs)
    at = len(head) + entries
    for name, blob in blobs.items():
        head += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", 0, 0, at, len(blob))
        at += len(blob)
    file.write_bytes(head + b"".join(blobs.values()))


def test_reads_what_was_packed(tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).integers(-8, 8, (2, 384)).astype(np.float32)
    biases = np.arange(4, dtype=np.float32)
    write(tmp_path / "w.bin", {"emb.word": packed(numbers, 0.5), "l0.q.b": biases.tobytes()})
    source = E5File(tmp_path / "w.bin")
    assert (source.header.hidden, source.header.vocabulary, source.header.pad) == (384, 2, 1)
    assert source.header.epsilon == 1e-12
    assert np.array_equal(source.matrix("emb.word", 2, 384), numbers * 0.5)
    assert np.array_equal(source.floats("l0.q.b"), biases)
    with pytest.raises(ModelError, match=r"l0\.k\.b"):
        source.floats("l0.k.b")


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"PK\3\4" + b"\0" * 100)
    with pytest.raises(ModelError, match="not an E5S1"):
        E5File(tmp_path / "x.bin")
    write(tmp_path / "y.bin", {}, hidden=768)
    with pytest.raises(ModelError, match="768"):
        E5File(tmp_path / "y.bin")
