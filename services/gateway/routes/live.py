"""The live view: what passes over the topics, and over one conversation, as server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import APIRouter, Depends
from sse_starlette import EventSourceResponse, ServerSentEvent

from services.gateway.domain.keys import Keys, Scope
from services.gateway.ports import Json, Live
from services.gateway.routes.access import needs
from services.gateway.routes.talk import sse


def router(live: Live, keys: Keys) -> APIRouter:
    """A private key is needed."""
    routes = APIRouter(dependencies=[Depends(needs(keys, Scope.PRIVATE))])

    @routes.get(
        "/v1/conversations/{conversation_id}/events",
        tags=["chat"],
        response_class=EventSourceResponse,
    )
    async def follow(conversation_id: str) -> EventSourceResponse:
        """Server-sent events: what is said in a conversation from now on, by the customer, the bot and people."""
        return EventSourceResponse(_messages(_of(conversation_id, live.watch())))

    @routes.get("/v1/live", tags=["operations"], response_class=EventSourceResponse)
    async def watch() -> EventSourceResponse:
        """Server-sent events: every message on the topics from now on."""
        return EventSourceResponse(_messages(live.watch()))

    @routes.get("/v1/counts", tags=["operations"])
    async def counts() -> dict[str, int]:
        """Records written since this was first asked, by topic; the marks of transactions are among them."""
        return await live.counts()

    return routes


async def _of(conversation_id: str, messages: AsyncIterator[Json]) -> AsyncIterator[Json]:
    async for message in messages:
        if message["key"] == conversation_id and message["topic"].startswith("chat."):
            yield message


async def _messages(messages: AsyncIterator[Json]) -> AsyncIterator[ServerSentEvent]:
    async for message in messages:
        yield sse("message", message)
