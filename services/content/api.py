"""ContentService over gRPC: decode, call the handler, encode."""

from __future__ import annotations

from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict, ParseDict
from pydantic import ValidationError

from rapport.contracts.content.v1 import content_service_pb2 as wire
from rapport.contracts.content.v1.content_service_pb2_grpc import (
    ContentServiceServicer,
    add_ContentServiceServicer_to_server,
)
from rapport.events.codec import schema_violation
from rapport.events.content import ContentRequested
from rapport.serving.server import Servicing
from services.content.handlers import ContentHandlers, outgoing_of
from services.content.stream import Publisher

Context = grpc.aio.ServicerContext[Any, Any]
SERVICE = wire.DESCRIPTOR.services_by_name["ContentService"].full_name


class ContentApi(ContentServiceServicer):
    """Answers calls and publishes what it wrote, as for a brief from Kafka."""

    def __init__(self, handlers: ContentHandlers, publisher: Publisher, tenant: str) -> None:
        self._handlers, self._publisher, self._tenant = handlers, publisher, tenant

    async def Create(self, request: wire.CreateRequest, context: Context) -> wire.CreateResponse:  # noqa: N802, ARG002
        tenant = request.brief.tenant or self._tenant
        content = await self._handlers.create(brief_of(request.brief), tenant)
        await self._publisher.send(outgoing_of(content, tenant))
        fields = content.model_dump(mode="json", include={"content_id", "request_id", "variants"}, exclude_none=True)
        return ParseDict(fields, wire.CreateResponse(), ignore_unknown_fields=True)


def brief_of(brief: wire.Brief) -> ContentRequested:
    """Raises `SchemaViolation` naming the field."""
    fields = MessageToDict(brief, preserving_proto_field_name=True)
    fields.pop("tenant", None)
    try:
        return ContentRequested.model_validate(fields)
    except ValidationError as error:
        raise schema_violation(error) from error


def servicing(api: ContentApi) -> Servicing:
    return add_ContentServiceServicer_to_server, api, SERVICE
