"""Registers what was fitted as a version, and has it answer."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from rapport.models.promotions import promotions
from rapport.models.registry import Registry
from rapport.models.versions import Version
from rapport.ops.settings import Settings


def register(
    save: Callable[[Path], None],
    settings: Settings,
    *,
    name: str,
    kind: str,
    metrics: Mapping[str, float],
    requires: Mapping[str, str] | None = None,
) -> Version:
    """What `save` writes into an empty folder, as a version. Raises `ModelError`."""
    with tempfile.TemporaryDirectory(prefix="rapport-fit-") as folder:
        save(Path(folder))
        return Registry(settings.models.cache).register(
            Path(folder), name=name, kind=kind, metrics=metrics, requires=requires
        )


async def promoted_version(name: str, settings: Settings) -> Version | None:
    """What answers now; None when nothing does. Raises `UnavailableError`, `ModelError` for damaged files."""
    found = (await promotions(settings)).get(name)
    return Registry(settings.models.cache).load(name, found.version) if found else None
