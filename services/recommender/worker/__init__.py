"""The recommender's model worker: embeds products and needs."""

from __future__ import annotations

from rapport.ops.parts import Part
from rapport.ops.settings import Settings
from rapport.serving.worker import worker_parts


def parts(settings: Settings) -> list[Part]:
    """One encoder."""
    return worker_parts(settings, embed=True)
