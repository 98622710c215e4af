"""The collector's use cases: Segment calls and CloudEvents in, events on Kafka out."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rapport.bus.messages import Outgoing
from rapport.bus.ports import Publisher
from rapport.events.base import Event
from rapport.events.codec import key_of, parse
from rapport.events.topics import TOPICS
from rapport.ops.errors import InvalidRequest, PermanentError
from services.gateway.domain.segment import to_event
from services.gateway.ports import Json

CLICKSTREAM = "clickstream.v1"


@dataclass(frozen=True, slots=True)
class Collected:
    """What became of a batch. Refused ones name their place, the field and the reason."""

    accepted: int
    refused: list[Json] = field(default_factory=list)


async def collect(
    calls: Sequence[tuple[str, Mapping[str, Any]]], publisher: Publisher, *, tenant: str, received_at: datetime
) -> Collected:
    """Publishes what is valid of some Segment calls. Raises only when Kafka does not take them."""
    outgoing: list[Outgoing] = []
    refused: list[Json] = []
    for index, (kind, call) in enumerate(calls):
        try:
            outgoing.append(_outgoing(kind, call, tenant, received_at))
        except PermanentError as error:
            refused.append({"index": index, "field": error.field, "error": error.message, "fix": error.fix})
    await publisher.send_many(outgoing)
    return Collected(len(outgoing), refused)


def _outgoing(kind: str, call: Mapping[str, Any], tenant: str, received_at: datetime) -> Outgoing:
    event = to_event(kind, call, received_at)
    message_id = call.get("messageId")
    if message_id is not None and not (isinstance(message_id, str) and 0 < len(message_id.encode()) <= 256):
        raise InvalidRequest("must be a text of 1 to 256 bytes", field="messageId")
    return Outgoing(CLICKSTREAM, event.subject, event, message_id or uuid.uuid4().hex, tenant)


async def publish_cloud_event(
    headers: Mapping[str, str],
    body: bytes,
    publisher: Publisher,
    *,
    events: Collection[type[Event]],
    tenant: str,
    max_bytes: int,
    now_ms: int,
) -> str:
    """Publishes one of `events` that came as a CloudEvent over HTTP, binary or structured. Returns its id.

    The topic follows from the type, the key from the payload. Raises `SchemaViolation` or `SizeViolation` naming the
    field.
    """
    # The HTTP binding writes attributes as ce-id, the Kafka binding as ce_id; otherwise they agree.
    attributes = [(name.replace("ce-", "ce_", 1), value.encode()) for name, value in headers.items()]
    event, envelope = parse(body, attributes, timestamp_ms=now_ms, tenant=tenant, max_bytes=max_bytes, events=events)
    topic = next(topic for topic in TOPICS.values() if type(event) in topic.events)
    key = key_of(topic, event)
    await publisher.send_many([Outgoing(topic.name, key, event, envelope.id, envelope.tenant, envelope.traceparent)])
    return envelope.id
