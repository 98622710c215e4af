"""What a handler takes and gives. A handler knows neither aiokafka nor Faust."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rapport.events.base import Event
from rapport.events.envelope import Envelope


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where a message lies. `topic` is the registry's short name; offsets grow within a partition, never used twice."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Message:
    """One decoded event. `event` is None for a tombstone (a null value on a compacted topic)."""

    event: Event | None
    envelope: Envelope
    key: str
    position: Position
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An event to publish. `topic` is the registry's short name ("profiles.v1"); the prefix is added on the way out.

    Set `event_id` to a value derived from the input, so that a repeated output is recognised by who reads it.
    `event` None publishes a tombstone for `key`.
    """

    topic: str
    key: str
    event: Event | None
    event_id: str
    tenant: str
    traceparent: str | None = None
    headers: dict[str, bytes] = field(default_factory=dict)
    body: bytes | None = None
    """`event.to_json()`, for a handler that needs it besides: so that it is made once."""


# Messages of one partition in offset order, at most `max_batch` of them. What is returned is published together with
# the commit of the offsets. Raising `RetryableError` has the batch tried again with back-off, for `kafka.retry_for_s`;
# any other error has it run again in halves, down to the message that fails, which goes to the dead-letter topic. So a
# handler may see a message again after it raised, and after a crash: its own effects must be idempotent by event id.
# It must end within `kafka.stall_after_s`: take a `max_batch` that it can do in that time.
Handler = Callable[[Sequence[Message]], Awaitable[Sequence[Outgoing]]]


class KeyedState(Protocol):
    """State kept per key, with the offset of the last message that it includes.

    The offset makes effects exact under at-least-once delivery: a message at or below it has been counted already.
    """

    def get(self, key: str) -> bytes | None:
        """The state of `key`, or None."""

    def includes(self, key: str, position: Position) -> bool:
        """True when the stored state of `key` has this message in it already."""

    def put(self, key: str, value: bytes, position: Position) -> None:
        """Replaces the state of `key`; `position` is the last message that it includes."""

    def delete(self, key: str) -> None:
        """Forgets `key`."""
