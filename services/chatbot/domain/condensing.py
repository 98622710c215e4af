"""What a conversation keeps: the newest turns within a budget of tokens, and a summary of those before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapport.text.normalise import normalise
from rapport.text.tokens import tokens
from services.chatbot.domain.conversation import Conversation, Turn

# Of a summary, in characters: a few lines to read; what is older falls out at its beginning.
_LONGEST = 600
_LINE = 90
# Never fewer: a reply is understood with the question before it.
_LEAST_TURNS = 4


@dataclass(frozen=True, slots=True)
class Kept:
    summary: str
    folded: int
    """How many of the oldest turns are in the summary from now on."""


def condensed(conversation: Conversation, new: Sequence[Turn], budget: int) -> Kept:
    """`budget` is in tokens, counted as words and Chinese character pairs."""
    turns = conversation.plus(*new).turns
    kept, left = 0, budget
    for turn in reversed(turns):
        left -= len(tokens(turn.text))
        if left < 0 and kept >= _LEAST_TURNS:
            break
        kept += 1
    folded = len(turns) - kept
    lines = [conversation.summary, *(_line(turn) for turn in turns[:folded])]
    summary = "\n".join(line for line in lines if line)
    if len(summary) > _LONGEST:
        summary = summary[-_LONGEST:].partition("\n")[2]
    return Kept(summary, folded)


def _line(turn: Turn) -> str:
    """Questions and acts tell what a conversation was about; what the bot quoted can be quoted again."""
    if turn.speaker != "customer":
        return f"[{turn.action}]" if turn.action in ("act", "handoff", "refuse") else ""
    text = normalise(turn.text)
    return f"- {text[:_LINE]}…" if len(text) > _LINE else f"- {text}"
