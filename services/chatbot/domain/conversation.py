"""A conversation as the bot remembers it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from rapport.events.chat import ReplyAction
from services.chatbot.domain.dialogue import Dialogue

Speaker = Literal["customer", "bot", "agent"]
Offer = Literal["order_number", "handoff"]
"""What the bot's last turn asked for, so that "12345" or "yes" is understood as the answer to it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing said. `id` is the message's id, or the reply's; a turn is remembered once whatever is redelivered."""

    id: str
    speaker: Speaker
    text: str
    at: datetime
    action: ReplyAction | None = None
    offer: Offer | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """The last turns, oldest first, and whose conversation it is."""

    tenant: str
    id: str
    turns: tuple[Turn, ...] = ()
    customer_id: str | None = None
    """The first customer seen in it. Nobody else may see or continue it."""
    with_person: bool = False
    """A person has taken over: the bot records and is silent."""
    language: str = ""
    """Language of the bot's last reply."""
    dialogue: Dialogue = field(default_factory=Dialogue)
    """Requests under way."""
    summary: str = ""
    """What was said before the turns that are kept."""
    remembered: bool = field(default=True, compare=False)
    """False: memory could not be read, so this is only what the present message tells."""

    def admits(self, customer_id: str | None) -> bool:
        """Whether this customer may speak in it. Who begins without an account may sign in later."""
        return self.customer_id is None or self.customer_id == customer_id

    def last_offer(self) -> Offer | None:
        """What the bot asked for in its last turn, as long as nobody else has spoken since."""
        return self.turns[-1].offer if self.turns and self.turns[-1].speaker == "bot" else None

    def last_action(self) -> ReplyAction | None:
        """What the bot did in its last turn, as long as nobody else has spoken since."""
        return self.turns[-1].action if self.turns and self.turns[-1].speaker == "bot" else None

    def last_question(self) -> str:
        """What the customer said last; "" at the beginning."""
        return next((turn.text for turn in reversed(self.turns) if turn.speaker == "customer"), "")

    def holds(self, turn_id: str) -> bool:
        return any(turn.id == turn_id for turn in self.turns)

    def plus(self, *turns: Turn) -> Conversation:
        """With `turns` at the end, each id once: a message may be recorded while its reply is being remembered."""
        once: dict[str, Turn] = {}
        for turn in (*self.turns, *turns):
            once.setdefault(turn.id, turn)
        return replace(self, turns=tuple(once.values()))
