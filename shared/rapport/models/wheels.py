"""Model files inside installed wheels, found without importing the package: what would run it is not installed."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

from rapport.ops.errors import ModelError


def wheel_file(distribution: str, ending: str) -> Path:
    """The file of `distribution` whose path ends in `ending`. Raises `ModelError` naming what is not installed."""
    try:
        files = importlib.metadata.files(distribution) or []
    except importlib.metadata.PackageNotFoundError as error:
        raise ModelError(
            f"the wheel {distribution} is not installed",
            fix="install Rapport with its extra `embedded`, or choose another set with RAPPORT_MODELS__SET",
        ) from error
    for file in files:
        path = Path(str(file.locate()))
        if path.as_posix().endswith(ending) and path.is_file():
            return path
    raise ModelError(f"the wheel {distribution} holds no file that ends in {ending}")
