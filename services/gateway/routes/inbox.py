"""The support desk's inbox: who waits for a person, what was said, answering, and handing back to the bot."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from rapport.bus.messages import Outgoing
from rapport.bus.ports import Publisher
from rapport.events.base import Id
from rapport.events.chat import ChatMessage
from rapport.ops.errors import NotFound
from services.gateway.domain.desk import Case, Desk, Json, State
from services.gateway.domain.keys import Keys, Scope
from services.gateway.routes.access import needs
from services.gateway.routes.serve import Body


class AgentBody(Body):
    """What a person writes into a conversation."""

    text: Annotated[str, Field(min_length=1, max_length=8000)]
    agent_id: Id
    hands_back: bool = False
    """The bot answers again from here on."""
    message_id: Id | None = None


def router(desk: Desk, publisher: Publisher, keys: Keys, *, tenant: str) -> APIRouter:
    """A private key is needed."""
    routes = APIRouter(tags=["chat"], dependencies=[Depends(needs(keys, Scope.PRIVATE))])

    @routes.get("/v1/handoffs")
    async def waiting(state: Annotated[list[State] | None, Query()] = None) -> list[Json]:
        """Conversations that a person is needed for, who waits longest first. `state`: waiting, taken, closed."""
        return desk.waiting(tenant, state or ("waiting", "taken"))

    @routes.get("/v1/conversations/{conversation_id}")
    async def conversation(conversation_id: str) -> Json:
        """Everything said in a conversation, by the customer, the bot and people. 404 when nothing was."""
        return _known(desk, tenant, conversation_id).whole()

    @routes.post("/v1/conversations/{conversation_id}/messages")
    async def write(conversation_id: str, body: AgentBody) -> Json:
        """A person answers: from then on they have the conversation, until they hand it back."""
        _known(desk, tenant, conversation_id)
        message = ChatMessage(
            occurred_at=datetime.now(UTC),
            conversation_id=conversation_id,
            message_id=body.message_id or f"g-{uuid.uuid4().hex}",
            role="agent",
            text=body.text,
            agent_id=body.agent_id,
            hands_back=body.hands_back,
        )
        await publisher.send_many([Outgoing("chat.messages.v1", conversation_id, message, message.message_id, tenant)])
        return {"message_id": message.message_id}

    return routes


def _known(desk: Desk, tenant: str, conversation_id: str) -> Case:
    case = desk.case(tenant, conversation_id)
    if case is None:
        raise NotFound("no such conversation in the last days", field="conversation_id")
    return case
