"""Conversations: what was said (chat.messages.v1), answered (chat.replies.v1), handed over (chat.handoffs.v1)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from rapport.events.base import Event, Id, Payload, Probability, Time

ReplyAction = Literal[
    "answer", "refuse", "order_status", "recommend", "handoff", "ask", "product_search", "confirm", "act", "blocked"
]
"""ask: something is missing. confirm: waits for a yes. act: a command went to orders.actions.v1. blocked: a safety rail
stopped the message."""
HandoffReason = Literal["requested", "low_confidence", "negative_sentiment", "policy_limit", "complaint", "safety"]


class ChatMessage(Event):
    """One message of a customer, or of a person who took over."""

    event_name: ClassVar[str] = "chat_message"
    conversation_id: Id
    message_id: Id
    customer_id: Id | None = None
    """From the caller's token, never from the text."""
    role: Literal["customer", "agent"] = "customer"
    text: Annotated[str, Field(max_length=8000)]
    language: str | None = None
    """BCP 47 hint; left out: detected."""
    channel: Literal["kafka", "converse"] = "kafka"
    """converse: said over the Converse call and answered there; the log keeps it, nobody answers it again."""
    hands_back: bool = False
    """Of an agent's message: the bot may answer again from here on. Until then it is silent."""
    agent_id: Id | None = None
    """Of an agent's message: who wrote it."""


class Source(Payload):
    """What an answer rests on."""

    kind: Literal["article", "order", "recommendation", "product"]
    id: Id
    title: str = ""
    quote: str = ""
    """The passage, word for word."""
    score: float = 0.0
    start: Annotated[int, Field(ge=0)] | None = None
    """Of an article: `quote` is its body from this character on,"""
    end: Annotated[int, Field(ge=0)] | None = None
    """up to this one, exclusive."""
    answer_start: Annotated[int, Field(ge=0)] | None = None
    """Of an article: the words of `quote` that answer are its body from this character on,"""
    answer_end: Annotated[int, Field(ge=0)] | None = None
    """up to this one, exclusive; None when nothing surely points at them."""


class ChatReply(Event):
    """What the bot said, and what it did."""

    event_name: ClassVar[str] = "chat_reply"
    reply_id: Id
    conversation_id: Id
    in_reply_to: Id
    customer_id: Id | None = None
    text: str
    language: str
    action: ReplyAction
    confidence: Probability
    sources: tuple[Source, ...] = ()
    product_ids: tuple[Id, ...] = ()
    order_id: Id | None = None
    model: str | None = None
    """id@revision of the language model; none: worded by templates or extraction."""
    intent: str | None = None
    """What the message was understood to want."""
    flow: str | None = None
    """The request (return, cancel, …) that the reply is part of."""
    asks: str | None = None
    """The slot that the reply asks for (order, items, reason, …)."""
    choices: tuple[str, ...] = ()
    """Short answers to offer as buttons."""
    action_ids: tuple[Id, ...] = ()
    """Commands on orders.actions.v1 that went out with the reply."""
    sentiment: Annotated[float, Field(ge=-1, le=1)] | None = None
    """Of the customer's message, where it was measured."""
    state: dict[str, Any] | None = None
    """The dialogue after this reply, the bot's own: with it the log alone restores a conversation."""


class TranscriptLine(Payload):
    role: Literal["customer", "bot", "agent"]
    text: str
    at: Time


class HandoffRequested(Event):
    """A person is needed."""

    event_name: ClassVar[str] = "handoff_requested"
    handoff_id: Id
    conversation_id: Id
    customer_id: Id | None = None
    reason: HandoffReason
    summary: str
    language: str
    transcript: tuple[TranscriptLine, ...]
    suggested_reply: str | None = None
    """What the person might answer."""
    order_ids: tuple[Id, ...] = ()
    """Orders that the conversation is about."""
    needs: tuple[str, ...] = ()
    """What the profile says the customer looks for, strongest first."""


class ChatFeedback(Event):
    """A customer's verdict on one reply."""

    event_name: ClassVar[str] = "chat_feedback"
    feedback_id: Id
    conversation_id: Id
    reply_id: Id
    customer_id: Id | None = None
    rating: Literal["up", "down"]
    reason: Annotated[str, Field(max_length=2000)] | None = None
