"""Reads the demo's YAML files: typed, and with the file's name in every complaint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from rapport.ops.errors import ConfigurationError

DATA = Path(__file__).resolve().parents[1] / "data"

F = TypeVar("F", bound=BaseModel)


class FileModel(BaseModel):
    """The shape of a file or of a part of one. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read(path: Path, shape: type[F]) -> F:
    """The file's content. Raises `ConfigurationError` naming the file and the first thing wrong with it."""
    try:
        return shape.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigurationError(str(error), field=str(path)) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = " > ".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"{where}: {first['msg']}", field=str(path)) from error


def read_all(folder: Path, shape: type[F]) -> Iterator[tuple[Path, F]]:
    """All YAML files of `folder`, by name."""
    for path in sorted(folder.glob("*.yaml")):
        yield path, read(path, shape)
