"""A message set aside: its original bytes, and the typed failure beside them in headers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import ValidationError

from rapport.bus.client import topic_name
from rapport.bus.records import REPLAY_FOR, REPLAY_OF, Record, Sending
from rapport.events.codec import schema_violation
from rapport.events.governance import DeadLetter
from rapport.events.topics import dead_letter_topic
from rapport.ops.errors import RapportError, outward
from rapport.ops.settings import KafkaSettings

PREFIX = "rapport_dead_"
# On a record in a dead-letter topic that stands for no failure: it says that the one at partition/offset was replayed.
REPLAYED = "rapport_replayed"
# Enough for any message of ours; a handler's error may quote a whole payload.
_MOST_TEXT = 2_000


@dataclass(frozen=True, slots=True)
class Failure:
    """A record that could not be handled, why, and after how many tries."""

    record: Record
    error: Exception
    attempts: int


def dead_letter_of(failure: Failure, group: str) -> DeadLetter:
    """The typed failure."""
    error, record = failure.error, failure.record
    if isinstance(error, ValidationError):
        error = schema_violation(error)
    known = isinstance(error, RapportError)
    return DeadLetter(
        kind=outward(error).dead_letter,
        message=(str(error) if known else repr(error))[:_MOST_TEXT],
        field=error.field if isinstance(error, RapportError) else None,
        group=group,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        attempts=failure.attempts,
        failed_at=datetime.now(UTC),
    )


def set_aside(letter: DeadLetter, record: Record, settings: KafkaSettings) -> Sending:
    """The record for the dead-letter topic: same key, value, headers and time, the failure in headers beside them."""
    return Sending(
        topic=topic_name(settings, dead_letter_topic(letter.group).name),
        # A record without key and value could not be sent; an empty key reads back as none.
        key=record.key if record.key is not None or record.value is not None else b"",
        value=record.value,
        headers=[*_original(record), *_failure_headers(letter)],
        # The same partition, so that dead letters of one key stay in order however the source was partitioned.
        partition=record.partition % settings.partitions,
        timestamp_ms=record.timestamp_ms if record.timestamp_ms >= 0 else None,
    )


def without_value(sending: Sending) -> Sending:
    """The failure alone, with the source position: for a record that even the dead-letter topic finds too large."""
    note = (f"{PREFIX}value_left_out", str(len(sending.value or b"")).encode())
    return Sending(
        sending.topic, sending.key or b"", None, [*sending.headers, note], sending.partition, sending.timestamp_ms
    )


def read_dead_letter(record: Record) -> DeadLetter | None:
    """The failure that a record of a dead-letter topic carries; None for one that carries none."""
    fields = {
        name.removeprefix(PREFIX): value.decode(errors="replace")
        for name, value in record.headers
        if name.startswith(PREFIX) and value is not None
    }
    try:
        return DeadLetter.model_validate(fields)
    except ValidationError:
        return None


def original_headers(record: Record) -> list[tuple[str, bytes]]:
    """The headers that the message had before it was set aside."""
    return [(name, value) for name, value in record.headers if not name.startswith(PREFIX)]


def _original(record: Record) -> Iterator[tuple[str, bytes]]:
    """Without the marks of an earlier replay: they would send the next one past the reader."""
    marks = (REPLAY_FOR, REPLAY_OF)
    return ((name, value) for name, value in record.headers if name not in marks and not name.startswith(PREFIX))


def _failure_headers(letter: DeadLetter) -> Iterator[tuple[str, bytes]]:
    fields = letter.model_dump(mode="json", exclude_none=True)
    return ((PREFIX + name, str(value).encode()) for name, value in fields.items())
