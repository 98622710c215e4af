"""POST /v1/{identify,track,page,screen,alias,batch} as Segment sends them, and POST /v1/events for CloudEvents."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import JSONResponse

from rapport.bus.ports import Publisher
from rapport.events.topics import EVENTS, TOPICS
from rapport.ops.errors import InvalidRequest
from services.gateway.domain.keys import Keys, Scope
from services.gateway.domain.segment import CALLS
from services.gateway.handlers import CLICKSTREAM, collect, publish_cloud_event
from services.gateway.routes.access import needs


def router(publisher: Publisher, keys: Keys, *, tenant: str, max_bytes: int) -> APIRouter:
    """The collector. A write key is enough, except for events that are not behaviour."""
    routes = APIRouter(tags=["collector"], dependencies=[Depends(needs(keys, Scope.WRITE))])

    async def segment(kind: str, request: Request) -> JSONResponse:
        body = _object(await request.body())
        calls = _batch(body) if kind == "batch" else [(kind, body)]
        done = await collect(calls, publisher, tenant=tenant, received_at=datetime.now(UTC))
        refused_all = bool(done.refused) and not done.accepted
        answer = {"success": not done.refused, "accepted": done.accepted, "refused": done.refused}
        return JSONResponse(answer, status_code=422 if refused_all else 200)

    for kind in (*CALLS, "batch"):
        routes.add_api_route(
            f"/v1/{kind}",
            _named(segment, kind),
            methods=["POST"],
            summary=f"Segment's {kind} call",
            description="Refused calls are named by place, field and reason; the rest is taken. See docs/collector.md.",
            openapi_extra=_BODY,
        )

    @routes.post("/v1/events", status_code=202, openapi_extra=_BODY)
    async def events(request: Request, authorization: Annotated[str | None, Header()] = None) -> dict[str, str]:
        """Takes one CloudEvent, binary (`ce-` headers) or structured. See docs/contracts/events.md."""
        body = await request.body()
        event_id = await publish_cloud_event(
            dict(request.headers),
            body,
            publisher,
            events=_allowed(keys, authorization),
            tenant=tenant,
            max_bytes=max_bytes,
            now_ms=int(time.time() * 1000),
        )
        return {"id": event_id}

    return routes


def _allowed(keys: Keys, authorization: str | None) -> Any:
    return tuple(EVENTS.values()) if keys.allows(authorization, Scope.PRIVATE) else TOPICS[CLICKSTREAM].events


_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
}


def _named(segment: Any, kind: str) -> Any:
    async def call(request: Request) -> JSONResponse:
        answer: JSONResponse = await segment(kind, request)
        return answer

    call.__name__ = kind
    return call


def _object(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"not JSON: {error}", field="body") from error
    if not isinstance(content, dict):
        raise InvalidRequest("must be a JSON object", field="body")
    return content


def _batch(body: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    calls = body.get("batch")
    if not isinstance(calls, list) or not calls:
        raise InvalidRequest("must be a list with at least one call", field="batch")
    shared = {name: body[name] for name in ("context", "sentAt") if name in body}
    return [
        (str(call.get("type")), {**shared, **call}) if isinstance(call, dict) else ("not an object", {})
        for call in calls
    ]
