"""Where the public data sets lie; nothing of them is part of the project."""

from __future__ import annotations

import sys
from pathlib import Path

_DEFAULT = Path("/work/shared/data")


def folder_of(name: str, given: Path | None) -> Path:
    """The data set's folder. Ends the command with a clear line when it is not there."""
    folder = given or _DEFAULT / name
    if not folder.is_dir():
        sys.exit(f"{name} is not at {folder}: get it as its keeper describes and name its folder with --data")
    return folder
