"""A dead letter keeps every byte, says why in types, and is found and mended by what it says."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rapport.bus.dead_letter import (
    Failure,
    dead_letter_of,
    original_headers,
    read_dead_letter,
    set_aside,
    without_value,
)
from rapport.bus.dlq import LetterFilter, StoredLetter
from rapport.bus.records import REPLAY_FOR, Record
from rapport.bus.replay import from_lines, mending, to_line
from rapport.ops.errors import DeadLetterKind, InvalidRequest, SchemaViolation
from tests.unit.bus.support import SETTINGS, record

KAFKA = SETTINGS.kafka


def _stored(original: Record, error: Exception | None = None) -> StoredLetter:
    failure = Failure(original, error or SchemaViolation("is missing", field="product_id"), 2)
    sending = set_aside(dead_letter_of(failure, "profiler"), original, KAFKA)
    lying = Record(sending.topic, sending.partition or 0, 7, sending.key, sending.value, sending.headers, 1_000)
    letter = read_dead_letter(lying)
    assert letter is not None
    return StoredLetter(lying, letter, replayed=False)


def test_bytes_headers_and_failure_read_back() -> None:
    original = replace(record(3, {"extra": b"\xff\x00"}), value=b"\x00\xfe", partition=1, offset=41)
    stored = _stored(original)
    assert (stored.record.key, stored.record.value, stored.record.partition) == (original.key, original.value, 1)
    assert original_headers(stored.record) == list(original.headers)
    letter = stored.letter
    assert (letter.kind, letter.field, letter.attempts) == (DeadLetterKind.SCHEMA_VIOLATION, "product_id", 2)
    assert (letter.topic, letter.partition, letter.offset) == ("rapport.clickstream.v1", 1, 41)
    assert letter.group == "profiler"


def test_an_error_of_the_handlers_own_is_told_with_its_type() -> None:
    letter = _stored(record(1), KeyError("price")).letter
    assert letter.kind is DeadLetterKind.HANDLER_ERROR
    assert letter.message == "KeyError('price')"


def test_the_marks_of_an_earlier_replay_are_not_kept() -> None:
    stored = _stored(record(1, {REPLAY_FOR: b"profiler"}))
    assert stored.record.header(REPLAY_FOR) is None


def test_a_record_with_neither_key_nor_value_can_be_set_aside() -> None:
    assert _stored(replace(record(1), key=None, value=None)).record.key == b""


def test_without_its_value_a_letter_still_says_where_it_came_from() -> None:
    original = record(1)
    sending = set_aside(dead_letter_of(Failure(original, SchemaViolation("no"), 1), "g"), original, KAFKA)
    bare = without_value(sending)
    assert bare.value is None
    assert ("rapport_dead_value_left_out", str(len(original.value or b"")).encode()) in bare.headers


@pytest.mark.parametrize(
    "pairs",
    [
        ["group=profiler", "kind=schema_violation", "topic=clickstream.v1"],
        ["field=product_id", "key=c1", "id=e1"],
        ["text=is missing"],
        ["text=p1"],
        ["name=profiler/0/7", "since=1h"],
    ],
)
def test_a_filter_finds_it_by(pairs: list[str]) -> None:
    assert LetterFilter.parse(pairs).matches(_stored(record(1)), KAFKA)


@pytest.mark.parametrize(
    "pair",
    [
        "group=other",
        "kind=handler_error",
        "field=key",
        "key=c2",
        "id=e2",
        "text=nowhere",
        "until=1h",
        "name=profiler/0/8",
    ],
)
def test_a_filter_leaves_it_out_by(pair: str) -> None:
    assert not LetterFilter.parse([pair]).matches(_stored(record(1)), KAFKA)


@pytest.mark.parametrize("pair", ["colour=red", "group", "since=yesterday"])
def test_a_filter_that_makes_no_sense_is_refused(pair: str) -> None:
    with pytest.raises(InvalidRequest):
        LetterFilter.parse([pair])


def test_times_are_moments_or_lengths_back_from_now() -> None:
    assert LetterFilter.parse(["since=2026-11-22T08:00Z"]).since == datetime(2026, 11, 22, 8, tzinfo=UTC)
    back = LetterFilter.parse(["since=2h"]).since
    assert back is not None
    assert timedelta(hours=2) <= datetime.now(UTC) - back < timedelta(hours=2, minutes=1)


def test_fields_headers_and_key_are_mended() -> None:
    fields = {"product_id": "p9", "price": "12.5", "context.page": "/help", "customer_id": "c9"}
    mend = mending(fields=fields, headers={"ce_id": "{partition}-{offset}"}, rekey=True, settings=KAFKA)
    mended = mend(record(1))
    payload = json.loads(mended.value or b"")
    assert (payload["product_id"], payload["price"], payload["context"]["page"]) == ("p9", 12.5, "/help")
    assert mended.header("ce_id") == "0-1"
    assert mended.key == b"c9"


def test_an_edited_line_replaces_key_headers_and_value() -> None:
    stored = _stored(replace(record(1), value=b"\xff"))
    line = json.loads(to_line(stored))
    assert line["name"] == "profiler/0/7"
    assert line["value_base64"] == "/w=="
    del line["value_base64"]
    line |= {"key": "c5", "value": {"customer_id": "c5"}, "headers": {"ce_id": "x"}}
    mends = from_lines([json.dumps(line), ""])
    mended = mends["profiler/0/7"](record(1))
    assert (mended.key, mended.headers) == (b"c5", (("ce_id", b"x"),))
    assert json.loads(mended.value or b"") == {"customer_id": "c5"}
    with pytest.raises(InvalidRequest, match="line 1"):
        from_lines(["{"])
