"""What became of one customer message: kept, so that the same message gives the same reply."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from rapport.events.chat import ChatMessage, ChatReply, HandoffRequested
from services.chatbot.domain.conversation import Conversation, Turn
from services.chatbot.domain.draft import Draft
from services.chatbot.domain.handoff import transcript
from services.chatbot.domain.languages import Language


class Outcome(BaseModel):
    """A reply, with the hand-off where there is one."""

    model_config = ConfigDict(frozen=True)

    reply: ChatReply
    handoff: HandoffRequested | None = None
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
    )


def handoff_of(
    reply: ChatReply, message: ChatMessage, before: Conversation, said: Sequence[Turn], line: str
) -> HandoffRequested:
    """The event that calls a person. `before` is the conversation up to the message, `said` what came on top."""
    return HandoffRequested(
        occurred_at=reply.occurred_at,
        handoff_id=derived_id(before.tenant, message, "handoff"),
        conversation_id=message.conversation_id,
        customer_id=message.customer_id,
        reason="requested",
        summary=line,
        language=reply.language,
        transcript=transcript(before.plus(*said).turns),
    )


def spoken(message: ChatMessage, at: datetime) -> Turn:
    return Turn(message.message_id, "agent" if message.role == "agent" else "customer", message.text, at)
