"""What the profiler's fits begin from: the version that answers now."""

from __future__ import annotations

from rapport.models.promotions import promotions
from rapport.models.registry import Registry
from rapport.models.versions import Version
from rapport.ops.settings import Settings


async def promoted_version(name: str, settings: Settings) -> Version | None:
    """What answers now; None when nothing does. Raises `UnavailableError`, `ModelError` for damaged files."""
    found = (await promotions(settings)).get(name)
    return Registry(settings.models.cache).load(name, found.version) if found else None
