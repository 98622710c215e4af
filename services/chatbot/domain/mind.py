"""All that the bot knows and how it speaks, joined."""

from __future__ import annotations

from dataclasses import dataclass

from services.chatbot.domain.languages import Language
from services.chatbot.domain.library import Library
from services.chatbot.domain.phrases import Phrases
from services.chatbot.domain.understanding import Understanding


@dataclass(frozen=True, slots=True)
class Manner:
    """How the bot answers; its service's settings explain each."""

    refuse_below: float = 0.25
    default_language: Language = "en"
    recommended_items: int = 3
    generator_languages: frozenset[str] = frozenset({"en"})
    encoder_timeout_s: float = 3.0


@dataclass(frozen=True, slots=True)
class Mind:
    library: Library
    phrases: Phrases
    understanding: Understanding
    manner: Manner
