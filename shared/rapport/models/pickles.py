"""Telling pickles from other files: unpickling runs whatever code the file holds, so none comes in."""

from __future__ import annotations

import zipfile
from pathlib import Path

from rapport.ops.errors import ModelError

_SUFFIXES = frozenset({".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".dill", ".cloudpickle", ".th"})
# Formats with a checked header of their own, whose first bytes may look like a pickle's by chance.
_OWN_HEADER = frozenset({".safetensors", ".gguf"})
# Protocol 2 and later begin with this mark and the protocol's number, and end with a full stop.
_MARK, _NEWEST, _END = 0x80, 5, b"."


def refuse_pickles_in(folder: Path) -> None:
    """Raises `ModelError` naming the first file below `folder` that is a pickle or holds one, whatever its name."""
    for file in sorted(folder.rglob("*")):
        if file.is_file() and is_pickle(file):
            raise ModelError(
                f"{file} is a pickle, which can run code when it is opened",
                fix="store weights as safetensors, ONNX, GGUF, or the library's own text format",
            )


def is_pickle(file: Path) -> bool:
    """By suffix, and by what the bytes say: torch's archives and NumPy's object arrays hold pickles too."""
    if file.suffix in _SUFFIXES:
        return True
    if file.suffix in _OWN_HEADER:
        return False
    if zipfile.is_zipfile(file):
        return _holds_pickle(file)
    with file.open("rb") as stream:
        head = stream.read(2)
        if head.startswith(b"\x93N"):
            stream.seek(0)
            # NumPy writes the type into the header: '|O' is an object array.
            return b"|O" in stream.read(256)
        stream.seek(max(0, file.stat().st_size - 1))
        return len(head) == 2 and head[0] == _MARK and 2 <= head[1] <= _NEWEST and stream.read(1) == _END


def _holds_pickle(file: Path) -> bool:
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            if name.endswith(".pkl"):
                return True
            with archive.open(name) as stream:
                if name.endswith(".npy") and b"|O" in stream.read(256):
                    return True
    return False
