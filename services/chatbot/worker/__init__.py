"""The chatbot's model worker: embeds questions and articles, reads the sentiment of messages, and writes answers."""

from __future__ import annotations

from rapport.ops.parts import Part
from rapport.ops.settings import Settings
from rapport.serving.worker import worker_parts
from services.chatbot.training.versions import NAME as INTENTS


def parts(settings: Settings) -> list[Part]:
    """An encoder with the sentiment head, the intents that are promoted, and a language model, on one device."""
    return worker_parts(settings, embed=True, tasks=("sentiment", INTENTS), generate=True)
