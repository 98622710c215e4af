"""Chat as server-sent events, and what customers think of the answers."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header
from pydantic import Field
from sse_starlette import EventSourceResponse, ServerSentEvent

from rapport.bus.messages import Outgoing
from rapport.bus.ports import Publisher
from rapport.events.base import Id
from rapport.events.chat import ChatFeedback
from rapport.ops.errors import RapportError, outward
from services.gateway.domain.keys import Keys, Scope
from services.gateway.ports import Json, Peers
from services.gateway.routes.access import caller, needs
from services.gateway.routes.refusals import told
from services.gateway.routes.serve import Body


class ChatBody(Body):
    """One message. A private key vouches for customer_id: the shop's server sets it, never the customer's text."""

    text: Annotated[str, Field(min_length=1, max_length=8000)]
    customer_id: Id | None = None
    conversation_id: Id | None = None
    message_id: Id | None = None
    language: str | None = None


class FeedbackBody(Body):
    """What a customer thinks of one reply."""

    conversation_id: Id
    reply_id: Id
    rating: Literal["up", "down"]
    reason: Annotated[str, Field(max_length=2000)] | None = None
    customer_id: Id | None = None


def router(peers: Peers, publisher: Publisher, keys: Keys, *, tenant: str, token_secret: str) -> APIRouter:
    """A public key is enough; who the customer is says their token, or a private key."""
    routes = APIRouter(tags=["chat"], dependencies=[Depends(needs(keys, Scope.WRITE))])

    def who(authorization: str | None, token: str | None, told: str | None) -> str | None:
        return caller(keys, authorization, token, told, secret=token_secret, now=datetime.now(UTC))

    @routes.post("/v1/chat", response_class=EventSourceResponse)
    async def chat(
        body: ChatBody,
        authorization: Annotated[str | None, Header()] = None,
        x_customer_token: Annotated[str | None, Header()] = None,
    ) -> EventSourceResponse:
        """Server-sent events: `text` pieces as they come, then one `reply` with sources and action, or one `error`."""
        customer = who(authorization, x_customer_token, body.customer_id)
        request = {"tenant": tenant, **body.model_dump(), "customer_id": customer}
        request["conversation_id"] = body.conversation_id or f"v-{uuid.uuid4().hex}"
        request["message_id"] = body.message_id or f"m-{uuid.uuid4().hex}"
        return EventSourceResponse(_conversation(peers.converse(request)))

    @routes.post("/v1/chat/feedback", status_code=202)
    async def feedback(
        body: FeedbackBody,
        authorization: Annotated[str | None, Header()] = None,
        x_customer_token: Annotated[str | None, Header()] = None,
    ) -> Json:
        """A thumb up or down for one reply, with a reason. Said again, it replaces the first."""
        customer = who(authorization, x_customer_token, body.customer_id)
        feedback_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{tenant} {body.reply_id} {customer} {body.rating}"))
        fields = {**body.model_dump(), "customer_id": customer, "feedback_id": feedback_id}
        event = ChatFeedback.model_validate({**fields, "occurred_at": datetime.now(UTC)})
        await publisher.send_many([Outgoing("chat.messages.v1", body.conversation_id, event, feedback_id, tenant)])
        return {"feedback_id": feedback_id}

    return routes


async def _conversation(pieces: AsyncIterator[Json]) -> AsyncIterator[ServerSentEvent]:
    try:
        async for piece in pieces:
            if piece.get("text"):
                yield sse("text", {"text": piece["text"]})
            if "reply" in piece:
                yield sse("reply", piece["reply"])
    except RapportError as error:
        # The status line is long gone: the stream itself must say what went wrong.
        yield sse("error", told(error) | {"status": outward(error).http})


def sse(event: str, data: Json) -> ServerSentEvent:
    """One event, in UTF-8 as it stands."""
    return ServerSentEvent(json.dumps(data, ensure_ascii=False), event=event)
