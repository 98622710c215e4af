"""CloudEvents 1.0 over Kafka: binary mode out, binary and structured mode in.

Source: CloudEvents Kafka protocol binding v1.0.2. Plain binary mode is read and written by `binary`, everything else by
the CloudEvents SDK; payloads by pydantic, straight from bytes.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, from_structured, to_structured
from cloudevents.core.exceptions import BaseCloudEventException
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from pydantic import ValidationError

from rapport.events.base import Event
from rapport.events.behaviour import Behaviour
from rapport.events.binary import plain_attributes, plain_headers
from rapport.events.envelope import Envelope
from rapport.events.topics import EVENTS, Topic
from rapport.ops.errors import SchemaViolation, SizeViolation

STRUCTURED = "application/cloudevents+json"
Headers = Iterable[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Decoded:
    """One message read. `event` is None for a tombstone."""

    event: Event | None
    envelope: Envelope
    key: str


class _RawJson(JSONFormat):
    """Leaves binary-mode payloads as bytes: pydantic parses them in one pass."""

    def read_data(self, body: bytes, datacontenttype: str | None) -> bytes:  # noqa: ARG002
        return body


_FORMAT = _RawJson()


def decode(
    topic: Topic,
    key: bytes | None,
    value: bytes | None,
    headers: Headers,
    *,
    timestamp_ms: int,
    fallback_id: str,
    tenant: str,
    max_bytes: int,
) -> Decoded:
    """The event that a message on `topic` carries.

    `timestamp_ms` (the broker's) stands in for a missing `ce_time`, `fallback_id` names a tombstone without headers,
    `tenant` is the default one. Raises `SizeViolation` above `max_bytes`, `SchemaViolation` naming the field otherwise.
    """
    text_key = _text("key", key) if key is not None else ""
    if value is None:
        attributes = {name.lower(): raw for name, raw in headers}
        return _tombstone(topic, text_key, attributes, timestamp_ms, fallback_id, tenant)
    event, envelope = parse(
        value, headers, timestamp_ms=timestamp_ms, tenant=tenant, max_bytes=max_bytes, events=topic.events
    )
    expected = key_of(topic, event)
    if text_key != expected:
        about = f"is {text_key!r}, but the event is about {expected!r}"
        raise SchemaViolation(about, field="key", fix=f"set the message key to its {topic.key}")
    return Decoded(event, envelope, text_key)


def parse(
    value: bytes,
    headers: Headers,
    *,
    timestamp_ms: int,
    tenant: str,
    max_bytes: int,
    events: Collection[type[Event]] = frozenset(EVENTS.values()),
) -> tuple[Event, Envelope]:
    """One of `events`, from headers and value alone, wherever they came from. Parameters and errors as `decode`."""
    if len(value) > max_bytes:
        raise SizeViolation(f"{len(value)} bytes, at most {max_bytes} are taken", field="value")
    attributes = {name.lower(): raw for name, raw in headers}
    plain = plain_attributes(attributes)
    if plain is None:
        return _parse_any(attributes, value, timestamp_ms, tenant, events)
    event = _payload(_kind(events, plain.type), value)
    # Only looked for, in a payload that may have it among its unknown fields, when the headers tell no tenant.
    owner = plain.tenant or _tenant_of(event) or tenant
    moment = plain.time or _broker_time(timestamp_ms)
    return event, Envelope(plain.id, plain.type, plain.source, moment, owner, plain.traceparent)


def _parse_any(
    attributes: Mapping[str, bytes], value: bytes, timestamp_ms: int, tenant: str, events: Collection[type[Event]]
) -> tuple[Event, Envelope]:
    cloud_event = _read(attributes, value, _broker_time(timestamp_ms))
    event = _payload(_kind(events, cloud_event.get_type()), cloud_event.get_data())
    envelope = Envelope(
        id=cloud_event.get_id(),
        type=cloud_event.get_type(),
        source=cloud_event.get_source(),
        time=cloud_event.get_attributes()["time"],
        tenant=str(cloud_event.get_extension("tenant") or _tenant_of(event) or tenant),
        traceparent=_optional(attributes.get("traceparent")) or cloud_event.get_extension("traceparent"),
    )
    return event, envelope


def encode(
    event: Event | None, envelope: Envelope, *, structured: bool = False, body: bytes | None = None
) -> tuple[bytes | None, list[tuple[str, bytes]]]:
    """Value and headers of the Kafka message for `event` (None: a tombstone).

    `body`: what `event.to_json()` gave, if it was asked before; for binary mode.
    """
    if event is None:
        headers = {"ce_id": envelope.id, "ce_tenant": envelope.tenant, "ce_source": envelope.source}
        return None, [(name, text.encode()) for name, text in headers.items()] + _trace_header(envelope)
    if not structured:
        value = event.to_json() if body is None else body
        return value, plain_headers(envelope, event.ce_type()) + _trace_header(envelope)
    attributes: dict[str, Any] = {
        "id": envelope.id,
        "type": event.ce_type(),
        "source": envelope.source,
        "time": envelope.time,
        "datacontenttype": "application/json",
        "tenant": envelope.tenant,
    }
    payload = event.model_dump(mode="json", exclude_none=True)
    message = to_structured(CloudEvent(attributes, payload), _FORMAT)
    return message.value, list(message.headers.items()) + _trace_header(envelope)


def key_of(topic: Topic, event: Event) -> str:
    """The message key that keeps this event in order on `topic`."""
    return event.subject if isinstance(event, Behaviour) else str(getattr(event, topic.key))


def _trace_header(envelope: Envelope) -> list[tuple[str, bytes]]:
    return [("traceparent", envelope.traceparent.encode())] if envelope.traceparent else []


def _read(attributes: Mapping[str, bytes], value: bytes, broker_time: datetime) -> BaseCloudEvent:
    kafka = KafkaMessage(headers=dict(attributes), key=None, value=value)
    content_type = _text("content-type", attributes.get("content-type", b""))
    parse = from_structured if content_type.startswith(STRUCTURED) else from_binary
    try:
        return parse(kafka, _FORMAT, functools.partial(_complete, broker_time))
    except BaseCloudEventException as error:
        raise SchemaViolation(str(error), field="envelope", fix="send the CloudEvents 1.0 attributes") from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise SchemaViolation(f"not a CloudEvent: {error}", field="envelope") from error


def _complete(broker_time: datetime, attributes: dict[str, Any], data: Any) -> CloudEvent:
    """The SDK makes up a missing id and time: the id must come from the sender, the time from the broker."""
    for name in ("id", "type", "source"):
        if not attributes.get(name):
            raise SchemaViolation("missing", field=f"ce_{name}", fix="send the CloudEvents 1.0 attributes as headers")
    if len(attributes["id"].encode()) > 256:
        raise SchemaViolation("an id is at most 256 bytes of UTF-8", field="ce_id")
    return CloudEvent({"time": broker_time, **attributes}, data)


def _kind(events: Collection[type[Event]], ce_type: str) -> type[Event]:
    kind = EVENTS.get(ce_type)
    if kind is None:
        stem = ce_type.rpartition(".v")[0]
        versions = [known for known in EVENTS if known.rpartition(".v")[0] == stem]
        what = f"version not supported, known: {', '.join(versions)}" if versions else "unknown event"
        raise SchemaViolation(f"{ce_type!r}: {what}", field="ce_type")
    if kind not in events:
        raise SchemaViolation(f"{ce_type!r} does not belong here", field="ce_type")
    return kind


def _payload(kind: type[Event], data: Any) -> Event:
    try:
        if isinstance(data, bytes | str):
            return kind.model_validate_json(data)
        return kind.model_validate(data)
    except ValidationError as error:
        raise schema_violation(error) from error


def schema_violation(error: ValidationError) -> SchemaViolation:
    """The first problem pydantic found, by field."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"]) or "value"
    more = f", and {error.error_count() - 1} more" if error.error_count() > 1 else ""
    return SchemaViolation(first["msg"].removeprefix("Value error, ") + more, field=field)


def _tombstone(
    topic: Topic, key: str, attributes: Mapping[str, bytes], timestamp_ms: int, fallback_id: str, tenant: str
) -> Decoded:
    if not topic.compacted:
        raise SchemaViolation(f"null, but {topic.name} takes no tombstones", field="value")
    if not key:
        raise SchemaViolation("a tombstone needs a key", field="key")
    envelope = Envelope(
        id=_optional(attributes.get("ce_id")) or fallback_id,
        type="tombstone",
        source=_optional(attributes.get("ce_source")) or topic.name,
        time=datetime.fromtimestamp(timestamp_ms / 1000, UTC),
        tenant=_optional(attributes.get("ce_tenant")) or tenant,
        traceparent=_optional(attributes.get("traceparent")),
    )
    return Decoded(None, envelope, key)


def _tenant_of(event: Event) -> str | None:
    given = (event.model_extra or {}).get("tenant")
    return given if isinstance(given, str) and given else None


def _text(field: str, raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise SchemaViolation(f"not UTF-8: {error.reason} at byte {error.start}", field=field) from error


def _broker_time(timestamp_ms: int) -> datetime:
    return datetime.fromtimestamp(timestamp_ms / 1000, UTC)


def _optional(raw: bytes | None) -> str | None:
    return raw.decode(errors="replace") if raw else None
