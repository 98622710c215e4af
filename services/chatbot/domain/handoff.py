"""Handing a conversation to a person: what that person needs to go on."""

from __future__ import annotations

from rapport.events.chat import TranscriptLine
from services.chatbot.domain.conversation import Conversation, Turn
from services.chatbot.domain.languages import Language
from services.chatbot.domain.phrases import Phrases

# A question in a summary line, in characters: the transcript has it whole.
_LONGEST_QUESTION = 200


def summary(before: Conversation, phrases: Phrases, language: Language) -> str:
    """One line about what was said before the customer asked for a person."""
    question = before.last_question()
    if not question:
        return phrases.say("summary_bare", language)
    return phrases.say("summary", language, question=question[:_LONGEST_QUESTION], turns=len(before.turns))


def transcript(turns: tuple[Turn, ...]) -> tuple[TranscriptLine, ...]:
    return tuple(TranscriptLine(role=turn.speaker, text=turn.text, at=turn.at) for turn in turns)
