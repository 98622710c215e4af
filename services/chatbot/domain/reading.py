"""What a message says, as far as the bot can tell: what passes between understanding, flows and knowledge."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from services.chatbot.domain.conversation import Conversation
from services.chatbot.domain.languages import Language
from services.chatbot.domain.shelf import Question

Detected = Literal["en", "zh", "mixed", "unknown"]

KNOWLEDGE, OUT_OF_SCOPE, HANDOFF = "knowledge", "out_of_scope", "handoff"
"""Intents that the conversation itself acts on; the others name a flow or a phrase."""


@dataclass(frozen=True, slots=True)
class Context:
    """What is known around a message."""

    conversation: Conversation
    language: Language
    """To answer in, when the text tells no other."""
    hint: str = ""
    """The caller's BCP 47 tag."""

    @property
    def tenant(self) -> str:
        return self.conversation.tenant


@dataclass(frozen=True, slots=True)
class Guess:
    """An intent and how likely it is; over all intents at most 1."""

    name: str
    probability: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What `Understanding.read` found."""

    text: str
    """Normalised."""
    language: Language
    """To answer in."""
    intents: tuple[Guess, ...]
    """Best first, never empty."""
    detected: Detected = "unknown"
    by_rule: bool = False
    """Exact words decided the first intent."""
    sentiment: float | None = None
    """-1 to 1; None where no model told."""
    questions: tuple[Question, ...] = field(default=(), compare=False)
    """Readings of the text as a question, embedded, in the order to try: joined to the one before where it leans on
    that, and last alone, in either case without order numbers."""

    @property
    def intent(self) -> str:
        return self.intents[0].name

    @property
    def confidence(self) -> float:
        return self.intents[0].probability
