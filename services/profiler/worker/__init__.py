"""The profiler's model worker: embeds behaviour texts, and reads the sentiment of reviews and chats."""

from __future__ import annotations

from rapport.ops.parts import Part
from rapport.ops.settings import Settings
from rapport.serving.worker import worker_parts


def parts(settings: Settings) -> list[Part]:
    """One encoder with the sentiment head, and what a shop trained and promoted besides."""
    return worker_parts(settings, embed=True, tasks=("sentiment", "aspects", "customer-type-texts"))
