"""CloudEvents binary mode, the common case, without the SDK: it takes five times as long, half of it for looking for
faults that are not there. What is not plainly right goes to the SDK, which says what is wrong with it.

Source: CloudEvents Kafka protocol binding v1.0.2, section 3.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from rapport.events.envelope import Envelope

# Attributes that we know to be right as they are. One more (an extension of the sender's) has to be looked at.
_KNOWN = frozenset({"ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "ce_tenant", "ce_traceparent"})
_JSON = b"application/json"
_MAX_ID_BYTES = 256


@dataclass(frozen=True, slots=True)
class Attributes:
    """What the headers of a plain message say."""

    id: str
    type: str
    source: str
    time: datetime | None
    tenant: str | None
    traceparent: str | None


def plain_attributes(headers: Mapping[str, bytes]) -> Attributes | None:
    """None when the headers (names in lower case) are anything but plain binary mode 1.0 with JSON inside."""
    if headers.get("content-type", _JSON) != _JSON or headers.get("ce_specversion", b"1.0") != b"1.0":
        return None
    if any(name.startswith("ce_") and name not in _KNOWN for name in headers):
        return None
    try:
        id_, type_, source = (headers[name].decode() for name in ("ce_id", "ce_type", "ce_source"))
        trace = headers.get("traceparent") or headers.get("ce_traceparent") or b""
        tenant = headers.get("ce_tenant", b"").decode()
        moment = _time(headers["ce_time"]) if "ce_time" in headers else None
    except (KeyError, ValueError):
        return None
    if not (id_ and type_ and source) or len(headers["ce_id"]) > _MAX_ID_BYTES:
        return None
    return Attributes(id_, type_, source, moment, tenant or None, trace.decode(errors="replace") or None)


def plain_headers(envelope: Envelope, ce_type: str) -> list[tuple[str, bytes]]:
    """The headers of a binary-mode message with JSON inside, but for `traceparent`."""
    moment = envelope.time.isoformat().replace("+00:00", "Z")
    return [
        ("ce_id", envelope.id.encode()),
        ("ce_type", ce_type.encode()),
        ("ce_source", envelope.source.encode()),
        ("ce_time", moment.encode()),
        ("content-type", _JSON),
        ("ce_tenant", envelope.tenant.encode()),
        ("ce_specversion", b"1.0"),
    ]


def _time(raw: bytes) -> datetime:
    """Raises `ValueError` for what is not a time with its zone."""
    moment = datetime.fromisoformat(raw.decode())
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    return moment.astimezone(UTC)
