"""What became of one customer message: kept, so that the same message gives the same reply."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from rapport.events.chat import ChatMessage, ChatReply, HandoffReason, HandoffRequested
from rapport.events.orders import OrderActionRequested
from services.chatbot.domain.conversation import Conversation, Turn
from services.chatbot.domain.dialogue import Dialogue
from services.chatbot.domain.draft import Draft
from services.chatbot.domain.handoff import transcript
from services.chatbot.domain.languages import Language


class Outcome(BaseModel):
    """A reply, with the hand-off where there is one."""

    model_config = ConfigDict(frozen=True)

    reply: ChatReply
    handoff: HandoffRequested | None = None
    commands: tuple[OrderActionRequested, ...] = ()
    origin: str
    """Where the message came from: its place on the topic, or "converse". A redelivery has the same; the same message
    said again has another."""


def derived_id(tenant: str, message: ChatMessage, what: str) -> str:
    """The id of what follows from a message: the same at every try, on every replica."""
    name = json.dumps([tenant, message.conversation_id, message.message_id, what])
    return str(uuid.uuid5(uuid.NAMESPACE_OID, name))


def reply_of(tenant: str, message: ChatMessage, draft: Draft, language: Language, at: datetime) -> ChatReply:
    """The reply that `draft` becomes."""
    return ChatReply(
        occurred_at=at,
        reply_id=derived_id(tenant, message, "reply"),
        conversation_id=message.conversation_id,
        in_reply_to=message.message_id,
        customer_id=message.customer_id,
        text=draft.text,
        language=language,
        action=draft.action,
        confidence=round(min(1.0, max(0.0, draft.confidence)), 4),
        sources=draft.sources,
        product_ids=draft.product_ids,
        order_id=draft.order_id,
        model=draft.model,
        intent=draft.intent,
        flow=draft.flow,
        asks=draft.asks,
        choices=draft.choices,
        action_ids=tuple(command.action_id for command in draft.commands),
        sentiment=draft.sentiment,
        state=_kept(draft),
    )


def _kept(draft: Draft) -> dict[str, Any] | None:
    """The dialogue as the log keeps it; a plain one is left out."""
    if draft.dialogue is None or draft.dialogue == Dialogue():
        return None
    return draft.dialogue.model_dump(mode="json", exclude_defaults=True)


def handoff_of(
    reply: ChatReply,
    message: ChatMessage,
    before: Conversation,
    said: Sequence[Turn],
    *,
    reason: HandoffReason,
    line: str,
    suggestion: str,
    needs: tuple[str, ...],
) -> HandoffRequested:
    """The event that calls a person. `before` is the conversation up to the message, `said` what came on top."""
    orders = [reply.order_id, *(done.order_id for done in before.dialogue.done)]
    return HandoffRequested(
        occurred_at=reply.occurred_at,
        handoff_id=derived_id(before.tenant, message, "handoff"),
        conversation_id=message.conversation_id,
        customer_id=message.customer_id,
        reason=reason,
        summary=line,
        suggested_reply=suggestion,
        order_ids=tuple(dict.fromkeys(order_id for order_id in orders if order_id)),
        needs=needs,
        language=reply.language,
        transcript=transcript(before.plus(*said).turns),
    )


def spoken(message: ChatMessage, at: datetime) -> Turn:
    return Turn(message.message_id, "agent" if message.role == "agent" else "customer", message.text, at)
