"""All that the bot knows and how it speaks, joined."""

from __future__ import annotations

from dataclasses import dataclass

from services.chatbot.domain.languages import Language
from services.chatbot.domain.library import Library
from services.chatbot.domain.phrases import Phrases
from services.chatbot.domain.understanding import Understanding
from services.chatbot.flows.acts import Acts
from services.chatbot.flows.spec import Flows
from services.chatbot.safety.words import Words


@dataclass(frozen=True, slots=True)
class Manner:
    """How the bot answers; its service's settings explain each."""

    refuse_below: float = 0.5
    default_language: Language = "en"
    recommended_items: int = 3
    generator_languages: frozenset[str] = frozenset({"en"})
    encoder_timeout_s: float = 3.0
    searched_items: int = 4
    memory_tokens: int = 800
    handoff_after_unsure: int = 2
    handoff_anger: float = 0.8


@dataclass(frozen=True, slots=True)
class Mind:
    library: Library
    phrases: Phrases
    understanding: Understanding
    manner: Manner
    flows: Flows
    acts: Acts
    words: Words
