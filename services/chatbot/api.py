"""ChatService over gRPC: decode, call the handler, encode."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from weakref import WeakValueDictionary

import grpc
from pydantic import ValidationError

from rapport.bus.ports import Publisher
from rapport.contracts.chatbot.v1 import chat_service_pb2 as wire
from rapport.contracts.chatbot.v1.chat_service_pb2_grpc import (
    ChatServiceServicer,
    add_ChatServiceServicer_to_server,
)
from rapport.events.chat import ChatMessage, ChatReply
from rapport.events.codec import schema_violation
from rapport.ops.errors import UnavailableError
from rapport.serving.server import Servicing
from services.chatbot.handlers import CONVERSE, converse
from services.chatbot.mind import Mind
from services.chatbot.ports import Ports

Context = grpc.aio.ServicerContext[Any, Any]
SERVICE = wire.DESCRIPTOR.services_by_name["ChatService"].full_name


class ChatApi(ChatServiceServicer):
    """Streams answers. One message of a conversation at a time; more wait for it."""

    def __init__(self, ports: Ports, mind: Mind, publisher: Publisher, prepared: asyncio.Event, tenant: str) -> None:
        """`prepared`: set when the articles are there. `tenant`: of calls that name none."""
        self._ports, self._mind, self._publisher = ports, mind, publisher
        self._prepared, self._tenant = prepared, tenant
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def Converse(self, request: wire.ConverseRequest, context: Context) -> AsyncIterator[wire.ConverseResponse]:
        if not self._prepared.is_set():
            raise UnavailableError("the articles are still being read")
        tenant = request.tenant or self._tenant
        at = datetime.now(UTC)
        message = message_of(request, at)
        turn = self._turns.setdefault((tenant, message.conversation_id), asyncio.Lock())
        async with turn:
            async for part in converse(message, tenant, at, self._ports, self._mind, self._publisher):
                yield wire.ConverseResponse(text=part) if isinstance(part, str) else reply_to(part)


def message_of(request: wire.ConverseRequest, at: datetime) -> ChatMessage:
    """What the caller says. Raises `SchemaViolation` naming the field."""
    try:
        return ChatMessage(
            occurred_at=at,
            conversation_id=request.conversation_id,
            message_id=request.message_id or uuid.uuid4().hex,
            customer_id=request.customer_id or None,
            text=request.text,
            language=request.language or None,
            channel=CONVERSE,
        )
    except ValidationError as error:
        raise schema_violation(error) from error


def reply_to(reply: ChatReply) -> wire.ConverseResponse:
    """The last message of the stream."""
    sources = [wire.Source(**source.model_dump(exclude_none=True)) for source in reply.sources]
    whole = wire.Reply(
        reply_id=reply.reply_id,
        conversation_id=reply.conversation_id,
        in_reply_to=reply.in_reply_to,
        text=reply.text,
        language=reply.language,
        action=wire.Action.Value(f"ACTION_{reply.action.upper()}"),
        confidence=reply.confidence,
        sources=sources,
        product_ids=reply.product_ids,
        order_id=reply.order_id or "",
        intent=reply.intent or "",
        flow=reply.flow or "",
        asks=reply.asks or "",
        choices=reply.choices,
        action_ids=reply.action_ids,
    )
    return wire.ConverseResponse(reply=whole)


def servicing(api: ChatApi) -> Servicing:
    return add_ChatServiceServicer_to_server, api, SERVICE
