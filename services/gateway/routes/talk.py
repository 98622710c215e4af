"""Chat and the live view: server-sent events."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field
from sse_starlette import EventSourceResponse, ServerSentEvent

from rapport.events.base import Id
from rapport.ops.errors import RapportError, outward
from services.gateway.domain.keys import Keys, Scope
from services.gateway.ports import Json, Live, Peers
from services.gateway.routes.access import needs
from services.gateway.routes.serve import Body


class ChatBody(Body):
    """One message. The private key vouches for customer_id: the shop's server sets it, never the customer's text."""

    text: Annotated[str, Field(min_length=1, max_length=8000)]
    customer_id: Id | None = None
    conversation_id: Id | None = None
    message_id: Id | None = None
    language: str | None = None


def router(peers: Peers, live: Live, keys: Keys, *, tenant: str) -> APIRouter:
    """Streams. A private key is needed."""
    routes = APIRouter(dependencies=[Depends(needs(keys, Scope.PRIVATE))])

    @routes.post("/v1/chat", tags=["chat"], response_class=EventSourceResponse)
    async def chat(body: ChatBody) -> EventSourceResponse:
        """Server-sent events: `text` pieces as they come, then one `reply` with sources and action, or one `error`."""
        request = {"tenant": tenant, **body.model_dump()}
        request["conversation_id"] = body.conversation_id or f"v-{uuid.uuid4().hex}"
        request["message_id"] = body.message_id or f"m-{uuid.uuid4().hex}"
        return EventSourceResponse(_conversation(peers.converse(request)))

    @routes.get("/v1/live", tags=["operations"], response_class=EventSourceResponse)
    async def watch() -> EventSourceResponse:
        """Server-sent events: every message on the topics from now on."""
        return EventSourceResponse(_messages(live.watch()))

    @routes.get("/v1/counts", tags=["operations"])
    async def counts() -> dict[str, int]:
        """Messages seen since the gateway started, by topic."""
        return live.counts()

    return routes


async def _conversation(pieces: AsyncIterator[Json]) -> AsyncIterator[ServerSentEvent]:
    try:
        async for piece in pieces:
            if piece.get("text"):
                yield _sse("text", {"text": piece["text"]})
            if "reply" in piece:
                yield _sse("reply", piece["reply"])
    except RapportError as error:
        # The status line is long gone: the stream itself must say what went wrong.
        yield _sse("error", {"error": str(error), "status": outward(error).http})


async def _messages(messages: AsyncIterator[Json]) -> AsyncIterator[ServerSentEvent]:
    async for message in messages:
        yield _sse("message", message)


def _sse(event: str, data: Json) -> ServerSentEvent:
    return ServerSentEvent(json.dumps(data, ensure_ascii=False), event=event)
