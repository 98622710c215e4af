"""The HTTP edge with the services behind it faked at their ports."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from pydantic import SecretStr

from rapport.bus.catalog import CatalogView
from rapport.bus.messages import Outgoing
from rapport.ops.errors import NotFound, UnavailableError
from rapport.ops.parts import Health
from services.gateway.api import application
from services.gateway.domain.desk import Desk
from services.gateway.domain.keys import Keys
from services.gateway.settings import GatewaySection, split

WRITE, PRIVATE = "write-key-1", "private-key-1"


@dataclass
class Kafka:
    sent: list[Outgoing] = field(default_factory=list)
    down: bool = False

    async def send_many(self, outgoings: Sequence[Outgoing]) -> None:
        if self.down:
            raise UnavailableError("Kafka did not take the event", field="kafka")
        self.sent += outgoings


class Services:
    """`Peers` and `Live`."""

    async def profile(self, tenant: str, customer_id: str) -> dict[str, Any]:
        if customer_id != "u-1":
            raise NotFound(f"no profile of {customer_id!r}")
        return {"customer_id": customer_id, "tenant": tenant, "event_count": 3}

    async def recommend(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"asked": request}

    rank = similar = trending = create_content = explain_profile = recommend

    async def content(self, call: str, request: dict[str, Any]) -> dict[str, Any]:
        return {"call": call, "asked": request}

    async def converse(self, request: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        yield {"text": "You can "}
        yield {"text": "return it."}
        if "break" in request["text"]:
            raise UnavailableError("gone", field="chatbot")
        yield {"reply": {"text": "You can return it.", "conversation_id": request["conversation_id"]}}

    async def watch(self) -> AsyncIterator[dict[str, Any]]:
        yield {"topic": "clickstream.v1"}

    async def counts(self) -> dict[str, int]:
        return {"clickstream.v1": 1}


@asynccontextmanager
async def edge(
    kafka: Kafka, services: Services, desk: Desk | None = None, **settings: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the whole application; two private keys are known."""
    app = application(
        kafka,
        services,
        CatalogView(),
        services,
        Keys(split(SecretStr(WRITE)), split(SecretStr(f"other-key-1, {PRIVATE}"))),
        desk=desk or Desk(),
        settings=GatewaySection(**settings),
        tenant="default",
        report=lambda: {"x": Health(detail="10.1.2.3:50052")},
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def basic(key: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}
