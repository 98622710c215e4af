"""Messages in; replies and hand-offs out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from rapport.bus.messages import Message, Outgoing
from rapport.bus.ports import Publisher
from rapport.events.chat import ChatMessage, ChatReply
from rapport.ops.errors import PermissionRefused, UnavailableError
from rapport.ops.metrics import counter
from services.chatbot.domain.condensing import condensed
from services.chatbot.domain.conversation import Conversation, Turn
from services.chatbot.domain.dialogue import Dialogue
from services.chatbot.domain.draft import Draft, pieces
from services.chatbot.domain.handoff import suggestion, summary
from services.chatbot.domain.outcome import Outcome, derived_id, handoff_of, reply_of, spoken
from services.chatbot.handlers.answering import answer
from services.chatbot.handlers.turn import Heard, heard
from services.chatbot.mind import Mind
from services.chatbot.ports import Ports

log = structlog.stdlib.get_logger(__name__)
CONVERSE = "converse"


async def on_chat_messages(messages: Sequence[Message], ports: Ports, mind: Mind, parallel: int) -> list[Outgoing]:
    """Replies and hand-offs to messages of one partition; conversations beside each other, each in its order."""
    conversations: dict[tuple[str, str], list[Message]] = {}
    for message in messages:
        conversations.setdefault((message.envelope.tenant, message.key), []).append(message)
    slots = asyncio.Semaphore(parallel)

    async def follow(one: Sequence[Message]) -> list[Outgoing]:
        async with slots:
            return [outgoing for message in one for outgoing in await _hear(message, ports, mind)]

    answered = await asyncio.gather(*(follow(one) for one in conversations.values()))
    return [outgoing for one in answered for outgoing in one]


async def _hear(message: Message, ports: Ports, mind: Mind) -> list[Outgoing]:
    event, tenant = message.event, message.envelope.tenant
    if not isinstance(event, ChatMessage):
        return []
    at = event.occurred_at or message.envelope.time
    place = message.position
    origin = f"{place.topic}/{place.partition}/{place.offset}"
    conversation, done = await _recall(event, tenant, ports)
    if done is not None:
        # Said twice: answered once. Read twice: what was handed out the first time may not have been stored.
        return outgoings(tenant, done, message.envelope.traceparent) if done.origin == origin else []
    if event.role == "agent" or event.channel == CONVERSE or conversation.with_person:
        await _record(event, conversation, at, ports)
        return []
    what = heard(event, conversation, mind, at)
    draft = await _whole(what, ports, mind)
    settled, turns = await _settled(what, draft, ports, mind, origin)
    await _remember(what, settled, turns, ports, mind)
    return outgoings(tenant, settled, message.envelope.traceparent)


async def converse(
    message: ChatMessage, tenant: str, at: datetime, ports: Ports, mind: Mind, publisher: Publisher
) -> AsyncIterator[str | ChatReply]:
    """Pieces of the reply's text, then the reply; message and reply are on their topics by then.

    While a person has the conversation the reply is empty, with action handoff. Raises `PermissionRefused` when the
    conversation is another customer's; `UnavailableError` when Kafka takes nothing: send the same message id again.
    """
    conversation, done = await _recall(message, tenant, ports)
    if done is not None:
        for piece in pieces(done.reply.text):
            yield piece
        yield done.reply
        return
    said = Outgoing(
        "chat.messages.v1", message.conversation_id, message, derived_id(tenant, message, "message"), tenant
    )
    what = heard(message, conversation, mind, at)
    if conversation.with_person:
        await publisher.send_many([said])
        await _record(message, conversation, at, ports)
        yield reply_of(tenant, message, Draft("", "handoff", 1.0), what.language, at)
        return
    draft, shown = Draft("", "ask", 0.0), ""
    async for part in answer(what, ports, mind):
        if isinstance(part, Draft):
            draft = part
        else:
            shown += part
            yield part
    for piece in pieces(draft.text.removeprefix(shown)):
        yield piece
    settled, turns = await _settled(what, draft, ports, mind, CONVERSE)
    # Stored before it is remembered: remembered first, a crash in between would leave the topics without it for good.
    await publisher.send_many([said, *outgoings(tenant, settled)])
    await _remember(what, settled, turns, ports, mind)
    yield settled.reply


def outgoings(tenant: str, done: Outcome, traceparent: str | None = None) -> list[Outgoing]:
    """The events of an outcome, under their own ids."""
    key, reply = done.reply.conversation_id, done.reply
    events = [Outgoing("chat.replies.v1", key, reply, reply.reply_id, tenant, traceparent)]
    if done.handoff is not None:
        events.append(Outgoing("chat.handoffs.v1", key, done.handoff, done.handoff.handoff_id, tenant, traceparent))
    # Under the command's own id: confirmed twice, it is one event to whoever carries it out.
    commands = [
        Outgoing("orders.actions.v1", command.order_id, command, command.action_id, tenant, traceparent)
        for command in done.commands
    ]
    return [*events, *commands]


async def _whole(what: Heard, ports: Ports, mind: Mind) -> Draft:
    """The draft alone: on Kafka a reply goes out whole."""
    return [part async for part in answer(what, ports, mind) if isinstance(part, Draft)][-1]


async def _settled(
    what: Heard, draft: Draft, ports: Ports, mind: Mind, origin: str
) -> tuple[Outcome, tuple[Turn, Turn]]:
    """The draft as reply, commands, and hand-off where it calls a person; with the turns to remember."""
    message, before, at = what.message, what.conversation, what.at
    reply = reply_of(before.tenant, message, draft, what.language, at)
    turns = (spoken(message, at), Turn(reply.reply_id, "bot", reply.text, at, action=reply.action, offer=draft.offer))
    if draft.handoff is None:
        return Outcome(reply=reply, commands=draft.commands, origin=origin), turns
    needs = await ports.profiles.needs(before.tenant, message.customer_id) if message.customer_id else ()
    handoff = handoff_of(
        reply,
        message,
        before,
        turns,
        reason=draft.handoff,
        line=summary(before, message.text, draft.handoff, mind.phrases, what.language),
        suggestion=suggestion(draft.handoff, mind.phrases, what.language),
        needs=needs,
    )
    return Outcome(reply=reply, handoff=handoff, commands=draft.commands, origin=origin), turns


async def _recall(message: ChatMessage, tenant: str, ports: Ports) -> tuple[Conversation, Outcome | None]:
    """Without memory the bot still answers; it only does not know what was said before."""
    reply_id = derived_id(tenant, message, "reply")
    try:
        conversation, done = await ports.memory.recall(tenant, message.conversation_id, reply_id)
    except UnavailableError as error:
        log.warning("answers without memory", error=str(error))
        return Conversation(tenant, message.conversation_id), None
    if message.role == "customer" and not conversation.admits(message.customer_id):
        raise PermissionRefused("the conversation is another customer's", field="conversation_id")
    return conversation, done


async def _record(message: ChatMessage, conversation: Conversation, at: datetime, ports: Ports) -> None:
    """Remembers what is not answered. A person who speaks has the conversation until they hand it back."""
    if conversation.holds(message.message_id):
        return
    with_person = not message.hands_back if message.role == "agent" else None
    try:
        # A reply over Converse may be remembered while this message is read: the state known here is older then, and
        # must not replace the one that the reply leaves behind.
        await ports.memory.remember(
            _owned(conversation, message), [spoken(message, at)], aside=True, with_person=with_person
        )
    except UnavailableError as error:
        log.warning("a message is not remembered", error=str(error))


async def _remember(what: Heard, settled: Outcome, turns: Sequence[Turn], ports: Ports, mind: Mind) -> None:
    action = settled.reply.action
    counter("chat_replies", "Replies of the chatbot", ("action", "language")).labels(action, what.language).inc()
    after = replace(
        what.conversation,
        language=what.language,
        dialogue=Dialogue.model_validate(settled.reply.state or {}),
    )
    kept = condensed(what.conversation, turns, mind.manner.memory_tokens)
    after = replace(after, summary=kept.summary)
    try:
        # A reply gives a conversation to a person, and never takes one back: that is for the person to do.
        with_person = True if settled.handoff is not None else None
        await ports.memory.remember(
            _owned(after, what.message), turns, settled, fold=kept.folded, with_person=with_person
        )
    except UnavailableError as error:
        log.warning("an answer is not remembered", error=str(error))


def _owned(conversation: Conversation, message: ChatMessage) -> Conversation:
    return replace(conversation, customer_id=conversation.customer_id or message.customer_id)
