"""Handing a conversation to a person: what that person needs to go on."""

from __future__ import annotations

from rapport.events.chat import HandoffReason, TranscriptLine
from services.chatbot.domain.conversation import Conversation, Turn
from services.chatbot.domain.languages import Language
from services.chatbot.domain.phrases import Phrases

# A question in a summary line, in characters: the transcript has it whole.
_LONGEST_QUESTION = 200


def summary(before: Conversation, last: str, reason: HandoffReason, phrases: Phrases, language: Language) -> str:
    """A few lines: why, what the customer asked, what was done and what was under way."""
    question = before.last_question() if reason == "requested" else last
    lines = [phrases.say(f"why_{reason}", language)]
    if question:
        lines.append(phrases.say("summary", language, question=question[:_LONGEST_QUESTION], turns=len(before.turns)))
    if before.summary:
        lines.append(before.summary)
    dialogue = before.dialogue
    if dialogue.done:
        done = ", ".join(f"{one.action} {one.order_id}" for one in dialogue.done)
        lines.append(phrases.say("summary_done", language, done=done))
    if dialogue.active is not None:
        told = dialogue.active.slots.model_dump(mode="json", exclude_defaults=True)
        shown = ", ".join(f"{name}: {value}" for name, value in told.items())
        lines.append(phrases.say("summary_open", language, flow=dialogue.active.flow, told=shown or "-"))
    return ("" if language == "zh" else " ").join(lines)


def suggestion(reason: HandoffReason, phrases: Phrases, language: Language) -> str:
    """A first sentence for the person to send or change."""
    return phrases.say(f"suggest_{reason}", language)


def transcript(turns: tuple[Turn, ...]) -> tuple[TranscriptLine, ...]:
    return tuple(TranscriptLine(role=turn.speaker, text=turn.text, at=turn.at) for turn in turns)
