"""A conversation put together again from the log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from pydantic import ValidationError

from rapport.events.chat import ChatMessage, ChatReply
from services.chatbot.domain.conversation import Conversation, Offer, Speaker, Turn
from services.chatbot.domain.dialogue import Dialogue

Logged = tuple[datetime, ChatMessage | ChatReply]


def restored(tenant: str, conversation_id: str, logged: Iterable[Logged], turns: int) -> Conversation:
    """The conversation after everything logged of it, with its newest `turns`."""
    conversation = Conversation(tenant, conversation_id)
    # At the same moment the message comes before the reply to it.
    for at, event in sorted(logged, key=lambda one: (one[0], isinstance(one[1], ChatReply))):
        conversation = (
            _replied(conversation, event, at) if isinstance(event, ChatReply) else _said(conversation, event, at)
        )
    return replace(conversation, turns=conversation.turns[-turns:])


def _said(conversation: Conversation, message: ChatMessage, at: datetime) -> Conversation:
    speaker: Speaker = "agent" if message.role == "agent" else "customer"
    after = conversation.plus(Turn(message.message_id, speaker, message.text, at))
    if message.role == "agent":
        return replace(after, with_person=not message.hands_back)
    return replace(after, customer_id=after.customer_id or message.customer_id)


def _replied(conversation: Conversation, reply: ChatReply, at: datetime) -> Conversation:
    try:
        dialogue = Dialogue.model_validate(reply.state or {})
    except ValidationError:
        dialogue = Dialogue()  # written by another version: the request is asked for again
    offer: Offer | None = "handoff" if reply.action == "refuse" and reply.flow is None else None
    after = conversation.plus(Turn(reply.reply_id, "bot", reply.text, at, action=reply.action, offer=offer))
    return replace(
        after,
        dialogue=dialogue,
        language=reply.language,
        with_person=after.with_person or reply.action == "handoff",
    )
