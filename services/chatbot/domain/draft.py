"""What the bot is about to say: a reply that has no ids yet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rapport.events.chat import HandoffReason, ReplyAction, Source
from rapport.events.orders import OrderActionRequested
from services.chatbot.domain.conversation import Offer
from services.chatbot.domain.dialogue import Dialogue

# Some four words, or a clause of Chinese: smooth to read, and few messages.
_PIECE = re.compile(r".{1,24}(?:\s+|$)|.{1,16}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Draft:
    """`confidence`: 1 for rules and looked-up facts, P(a | q) for knowledge."""

    text: str
    action: ReplyAction
    confidence: float
    sources: tuple[Source, ...] = ()
    product_ids: tuple[str, ...] = ()
    order_id: str | None = None
    model: str | None = None
    """id@revision of the language model that worded it."""
    offer: Offer | None = None
    """What the customer is asked for."""
    intent: str | None = None
    flow: str | None = None
    asks: str | None = None
    choices: tuple[str, ...] = ()
    commands: tuple[OrderActionRequested, ...] = ()
    """Confirmed; they go out with the reply."""
    handoff: HandoffReason | None = None
    """Why a person is called, with action handoff."""
    dialogue: Dialogue | None = None
    """Where the conversation stands after this; None: as before."""
    sentiment: float | None = None


def pieces(text: str) -> Iterator[str]:
    """A finished text in pieces that join to it again, cut at spaces where there are any."""
    for match in _PIECE.finditer(text):
        yield match.group()
