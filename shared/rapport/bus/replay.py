"""Sending dead letters back: mended or as they were, each once, to the group that failed on them."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rapport.bus.client import registered_name, unavailable, writer
from rapport.bus.dead_letter import REPLAYED, original_headers
from rapport.bus.dlq import StoredLetter
from rapport.bus.producer import hand_over
from rapport.bus.records import REPLAY_FOR, REPLAY_OF, Record, Sending, message_of
from rapport.events.codec import key_of, parse
from rapport.events.topics import Topic, topic_named
from rapport.ops.errors import InvalidRequest, PermanentError
from rapport.ops.settings import KafkaSettings, Settings

# Records in one transaction: a crash in between repeats none and leaves the rest for the next replay.
_AT_ONCE = 200
Mend = Callable[[Record], Record]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became, or would become, of a letter. `refused` says why it would only come back; "" when it was sent."""

    stored: StoredLetter
    mended: Record
    refused: str


async def replay(
    letters: Sequence[StoredLetter],
    mend: Callable[[StoredLetter], Mend],
    settings: Settings,
    *,
    dry_run: bool = False,
    again: bool = False,
) -> list[Outcome]:
    """Sends each letter's message back to its source topic, mended, and marked for the group that set it aside.

    Those that are still malformed are refused, and those that were sent back before, unless `again`. Each is sent and
    marked as sent in one transaction. Raises `UnavailableError`.
    """
    outcomes = [_judge(stored, mend(stored), settings, again=again) for stored in letters]
    good = [outcome for outcome in outcomes if not outcome.refused]
    if not dry_run and good:
        await _send(good, settings.kafka)
    return outcomes


def mending(*, fields: Mapping[str, str], headers: Mapping[str, str], rekey: bool, settings: KafkaSettings) -> Mend:
    """A mend that sets payload fields (dotted path; JSON, or else text), headers, and the key that the event asks for.

    Header values may hold {topic}, {partition} and {offset} of the source, to give each message an id of its own.
    """

    def mend(record: Record) -> Record:
        mended = record
        if fields:
            mended = replace(mended, value=json.dumps(_with_fields(_payload(record), fields)).encode())
        if headers:
            mended = replace(mended, headers=_with_headers(mended, headers))
        if rekey:
            topic = topic_named(registered_name(settings, record.topic))
            mended = replace(mended, key=_right_key(mended, topic))
        return mended

    return mend


def to_line(stored: StoredLetter) -> str:
    """A letter as a line of JSON: to be edited (key, headers, value) and replayed from a file."""
    record = stored.record
    line: dict[str, Any] = {
        "name": stored.name,
        "failure": stored.letter.model_dump(mode="json", exclude_none=True),
        "replayed": stored.replayed,
        "key": record.key.decode(errors="replace") if record.key is not None else None,
        "headers": {
            name: value.decode(errors="replace") for name, value in original_headers(record) if value is not None
        },
    }
    try:
        line["value"] = record.value.decode() if record.value is not None else None
    except UnicodeDecodeError:
        line["value_base64"] = base64.b64encode(record.value or b"").decode()
    return json.dumps(line, ensure_ascii=False)


def from_lines(lines: Sequence[str]) -> Mapping[str, Mend]:
    """What an edited file says, by letter name. Raises `InvalidRequest` naming the line."""
    mends: dict[str, Mend] = {}
    for number, text in enumerate(lines, 1):
        if text.strip():
            try:
                line = json.loads(text)
                mends[line["name"]] = _as_edited(line)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise InvalidRequest(
                    f"line {number}: {error!r}", field="file", fix="start from what `dlq show` writes"
                ) from error
    return mends


def _as_edited(line: Mapping[str, Any]) -> Mend:
    value = line.get("value")
    if "value_base64" in line:
        raw: bytes | None = base64.b64decode(line["value_base64"], validate=True)
    elif value is None:
        raw = None
    else:
        raw = value.encode() if isinstance(value, str) else json.dumps(value).encode()
    headers = tuple((name, text.encode()) for name, text in line["headers"].items())
    key = line["key"].encode() if line["key"] is not None else None
    return lambda record: replace(record, key=key, value=raw, headers=headers)


def _judge(stored: StoredLetter, mend: Mend, settings: Settings, *, again: bool) -> Outcome:
    record, letter = stored.record, stored.letter
    source = replace(
        record, topic=letter.topic, partition=letter.partition, offset=letter.offset, headers=original_headers(record)
    )
    if stored.replayed and not again:
        return Outcome(stored, source, "sent back before")
    try:
        mended = mend(source)
        message_of(mended, settings)
    except PermanentError as error:
        return Outcome(stored, source, f"still malformed: {error}")
    return Outcome(stored, mended, "")


async def _send(outcomes: Sequence[Outcome], settings: KafkaSettings) -> None:
    producer = writer(settings, transactional_id=f"{settings.group_prefix}dlq-replay")
    with unavailable(settings):
        try:
            await producer.start()
            for begin in range(0, len(outcomes), _AT_ONCE):
                async with producer.transaction():
                    stored = []
                    for outcome in outcomes[begin : begin + _AT_ONCE]:
                        stored.append(await hand_over(producer, _replayed(outcome)))
                        stored.append(await hand_over(producer, _mark(outcome.stored)))
                    await asyncio.gather(*stored)
        finally:
            await producer.stop()


def _replayed(outcome: Outcome) -> Sending:
    mended, stored = outcome.mended, outcome.stored
    # A message that is sent again after an earlier replay is another one: the reader must not take it for a duplicate.
    name = stored.name if not stored.replayed else f"{stored.name}#{time.time_ns()}"
    marks = [(REPLAY_FOR, stored.letter.group.encode()), (REPLAY_OF, name.encode())]
    return Sending(mended.topic, mended.key, mended.value, [*mended.headers, *marks])


def _mark(stored: StoredLetter) -> Sending:
    """Beside the letter, so that it goes when the letter goes."""
    record = stored.record
    mark = (REPLAYED, stored.place.encode())
    return Sending(record.topic, record.key or b"", None, [mark], record.partition)


def _payload(record: Record) -> Any:
    try:
        return json.loads(record.value or b"")
    except ValueError as error:
        raise InvalidRequest(
            f"the value is not JSON: {error}", fix="edit it: `dlq show`, then `dlq replay --from FILE`"
        ) from error


def _with_fields(payload: Any, fields: Mapping[str, str]) -> Any:
    for path, text in fields.items():
        *above, last = path.split(".")
        place = payload
        for step in above:
            place = place.setdefault(step, {}) if isinstance(place, dict) else None
        if not isinstance(place, dict):
            raise InvalidRequest("the value has no such place", field=path)
        try:
            place[last] = json.loads(text)
        except ValueError:
            place[last] = text
    return payload


def _with_headers(record: Record, headers: Mapping[str, str]) -> Sequence[tuple[str, bytes]]:
    filled = {
        name: text.format(topic=record.topic, partition=record.partition, offset=record.offset).encode()
        for name, text in headers.items()
    }
    return [*((name, value) for name, value in record.headers if name not in filled), *filled.items()]


def _right_key(record: Record, topic: Topic) -> bytes:
    event, _ = parse(
        record.value or b"",
        record.headers,
        timestamp_ms=record.timestamp_ms,
        tenant="",
        max_bytes=sys.maxsize,
        events=topic.events,
    )
    return key_of(topic, event).encode()
