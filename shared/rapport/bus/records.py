"""One Kafka record, whoever read it, and the message inside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from rapport.bus.client import registered_name, topic_name
from rapport.bus.messages import Message, Outgoing, Position
from rapport.events.codec import decode, encode
from rapport.events.envelope import Envelope
from rapport.events.topics import topic_named
from rapport.ops.errors import PermanentError, SchemaViolation
from rapport.ops.settings import KafkaSettings, Settings
from rapport.ops.tracing import current_traceparent

Headers = Sequence[tuple[str, bytes]]
# Says which group alone a replayed dead letter is for, and which dead letter it is.
REPLAY_FOR, REPLAY_OF = "rapport_replay_for", "rapport_replay_of"


class _Read(Protocol):
    """What aiokafka's ConsumerRecord and Faust's Message have in common."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it lies on the broker. `topic` is the broker's name, prefix included."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp_ms: int

    @classmethod
    def of(cls, read: _Read, headers: Headers, timestamp_ms: int) -> Record:
        return cls(read.topic, read.partition, read.offset, read.key, read.value, headers, timestamp_ms)

    def header(self, name: str) -> str | None:
        """The last value of a header, as text."""
        for key, value in reversed(self.headers):
            if key == name and value is not None:
                return value.decode(errors="replace")
        return None


@dataclass(frozen=True, slots=True)
class Sending:
    """A record on its way out. Without a partition, the key's hash (murmur2, as Java's) decides."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    partition: int | None = None
    timestamp_ms: int | None = None


def message_of(record: Record, settings: Settings) -> Message:
    """The message that `record` carries. Raises `SchemaViolation` or `SizeViolation`, and nothing else."""
    try:
        return _decoded(record, settings)
    except PermanentError:
        raise
    except Exception as error:  # whatever bytes do to a parser, they must not stop the partition
        raise SchemaViolation(f"cannot be read: {error!r}") from error


def _decoded(record: Record, settings: Settings) -> Message:
    name = registered_name(settings.kafka, record.topic)
    decoded = decode(
        topic_named(name),
        record.key,
        record.value,
        [(key, value) for key, value in record.headers if value is not None],
        timestamp_ms=record.timestamp_ms,
        fallback_id=f"{name}/{record.partition}/{record.offset}",
        tenant=settings.tenant,
        max_bytes=settings.kafka.max_message_bytes,
    )
    position = Position(name, record.partition, record.offset)
    return Message(decoded.event, decoded.envelope, decoded.key, position, record.timestamp_ms)


def sending_of(outgoing: Outgoing, source: str, settings: KafkaSettings) -> Sending:
    """The record that publishes `outgoing`, in CloudEvents binary mode. `source`: who publishes."""
    topic = topic_named(outgoing.topic)
    envelope = Envelope(
        id=outgoing.event_id,
        type=outgoing.event.ce_type() if outgoing.event else "tombstone",
        source=f"/rapport/{source}",
        time=datetime.now(UTC),
        tenant=outgoing.tenant,
        traceparent=outgoing.traceparent or current_traceparent(),
    )
    value, headers = encode(outgoing.event, envelope, body=outgoing.body)
    headers += outgoing.headers.items()
    return Sending(topic_name(settings, topic.name), outgoing.key.encode(), value, headers)
