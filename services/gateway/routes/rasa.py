"""Rasa's REST channel, so that widgets made for it work: one message in, a list of answers out."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Header
from pydantic import BaseModel, ConfigDict, Field

from rapport.events.base import Id
from rapport.ops.errors import RapportError, outward
from services.gateway.domain.keys import Keys, Scope
from services.gateway.ports import Json, Peers
from services.gateway.routes.access import caller, needs

log = structlog.stdlib.get_logger(__name__)


class RasaMessage(BaseModel):
    """Rasa's own shape; fields that we do not know are left alone."""

    model_config = ConfigDict(extra="allow")

    sender: Id = "default"
    """The conversation."""
    message: Annotated[str, Field(max_length=8000)] = ""
    metadata: dict[str, Any] = {}


def router(peers: Peers, keys: Keys, *, tenant: str, token_secret: str) -> APIRouter:
    routes = APIRouter()

    @routes.post("/webhooks/rest/webhook", tags=["chat"], dependencies=[Depends(needs(keys, Scope.WRITE))])
    async def webhook(
        body: RasaMessage,
        authorization: Annotated[str | None, Header()] = None,
        x_customer_token: Annotated[str | None, Header()] = None,
    ) -> list[Json]:
        """The bot's answers: `recipient_id`, `text`, `buttons`, and ours under `custom`. While a person has the
        conversation the list is empty. A public key is enough; who the customer is says their token, or a private
        key's metadata."""
        told = body.metadata.get("customer_id")
        customer = caller(
            keys, authorization, x_customer_token, told if isinstance(told, str) else None,
            secret=token_secret, now=datetime.now(UTC),
        )  # fmt: skip
        request = {
            "tenant": tenant,
            "conversation_id": body.sender,
            "message_id": f"r-{uuid.uuid4().hex}",
            "text": body.message,
            "customer_id": customer,
        }
        reply: Json = {}
        try:
            async for piece in peers.converse(request):
                reply = piece.get("reply", reply)
        except RapportError as error:
            # Rasa's widgets show texts and know no errors; the status says it to everybody else.
            if outward(error).http < 500:
                raise
            log.warning("the chatbot did not answer", error=str(error))
            return [{"recipient_id": body.sender, "text": "The assistant is away for a moment. Please try again."}]
        return _answers(body.sender, reply)

    return routes


def _answers(sender: str, reply: Json) -> list[Json]:
    if not reply.get("text"):
        return []
    answer: Json = {"recipient_id": sender, "text": reply["text"]}
    if reply.get("choices"):
        answer["buttons"] = [{"title": choice, "payload": choice} for choice in reply["choices"]]
    return [answer, {"recipient_id": sender, "custom": {name: reply[name] for name in reply if name != "text"}}]
