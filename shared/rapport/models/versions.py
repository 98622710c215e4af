"""One trained version of one model: a folder, and beside its files a manifest that says what they are."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from rapport.ops.errors import InvalidRequest, ModelError

MANIFEST = "manifest.json"
# Names become folders and Kafka keys.
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")


class Manifest(BaseModel):
    """What `manifest.json` holds."""

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    name: str
    """The model: what is promoted and rolled back ("encoder", "sentiment", "recommender-ranker")."""
    version: str
    """Unique within the model; versions sort by time."""
    kind: str
    """What loads it: "encoder", "head", "lambdamart", …"""
    created_at: datetime
    metrics: dict[str, float] = {}
    """As measured when it was trained."""
    requires: dict[str, str] = {}
    """What it only works with, e.g. {"encoder": "intfloat/multilingual-e5-small@1a2b3c"}."""
    files: dict[str, str]
    """SHA-256 of each file, by its path in the folder."""


class Version:
    """A registered version. `folder` is where its files are; nothing there may be changed."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder, self.manifest = folder, manifest

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Raises `ModelError` when the manifest is missing or malformed."""
        try:
            text = (folder / MANIFEST).read_text(encoding="utf-8")
            return cls(folder, Manifest.model_validate_json(text))
        except (OSError, ValidationError, ValueError) as error:
            raise ModelError(f"{folder} is no registered version: {error}") from error

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def version(self) -> str:
        return self.manifest.version

    @property
    def kind(self) -> str:
        return self.manifest.kind

    @property
    def metrics(self) -> Mapping[str, float]:
        return self.manifest.metrics

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and (self.folder, self.manifest) == (other.folder, other.manifest)

    def __hash__(self) -> int:
        return hash((self.name, self.version))

    def verify(self) -> None:
        """Raises `ModelError` naming the first file that is missing, changed, or was not there."""
        for path, digest in self.manifest.files.items():
            file = self.folder / path
            if not file.is_file():
                raise ModelError(f"{self}: {path} is missing")
            if sha256(file) != digest:
                raise ModelError(f"{self}: {path} has changed since it was registered")
        stray = sorted(set(files_below(self.folder)) - set(self.manifest.files))
        if stray:
            raise ModelError(f"{self}: {stray[0]} was not registered")


def files_below(folder: Path) -> list[str]:
    """Relative paths of all files but the manifest, sorted."""
    found = (file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    return sorted(path for path in found if path != MANIFEST)


def sha256(file: Path) -> str:
    """64 hexadecimal digits over the whole file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_name(value: str, field: str) -> str:
    """`value`, if it can be a folder and a Kafka key. Raises `InvalidRequest` otherwise."""
    if not _NAME.fullmatch(value):
        raise InvalidRequest(
            f"{value[:120]!r}", field=field, fix="1 to 100 of a-z, 0-9, dot, dash, underscore; first a letter or digit"
        )
    return value
