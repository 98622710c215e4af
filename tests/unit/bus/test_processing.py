"""What becomes of a batch: decoded, without duplicates, retried, split, given up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from rapport.bus.messages import Handler, Message, Outgoing
from rapport.bus.processing import Effects, Processor
from rapport.bus.records import REPLAY_FOR, REPLAY_OF, Record
from rapport.bus.window import SeenWindow
from rapport.ops.errors import NotFound, UnavailableError, outward
from rapport.ops.settings import KafkaSettings, Settings
from tests.unit.bus.support import SETTINGS, record, viewed


class Recorder:
    """A handler that remembers its calls and fails as told."""

    def __init__(self, *, broken: Sequence[str] = (), away: Sequence[str] = (), away_for: int = 10**9) -> None:
        self.calls: list[list[str]] = []
        self._broken, self._away, self._away_for = set(broken), set(away), away_for

    async def __call__(self, messages: Sequence[Message]) -> Sequence[Outgoing]:
        ids = [message.envelope.id for message in messages]
        self.calls.append(ids)
        if self._broken & set(ids):
            raise ValueError("broken")
        if self._away & set(ids) and self._away_for > 0:
            self._away_for -= 1
            raise UnavailableError("away")
        return [viewed(int(each[1:]) + 1000) for each in ids]


async def process(
    handler: Handler, records: Sequence[Record], window: SeenWindow | None = None, settings: Settings = SETTINGS
) -> Effects:
    window = SeenWindow(100) if window is None else window
    effects = await Processor("g", handler, settings).run(records, window, lambda: None)
    effects.remember(window)
    return effects


def failed(effects: Effects) -> list[tuple[int, str]]:
    return [(failure.record.offset, outward(failure.error).dead_letter.value) for failure in effects.failures]


async def test_a_good_batch_is_one_call() -> None:
    handler = Recorder()
    effects = await process(handler, [record(number) for number in range(5)])
    assert handler.calls == [["e0", "e1", "e2", "e3", "e4"]]
    assert len(effects.sendings) == 5
    assert effects.failures == []


async def test_one_bad_message_among_many_costs_few_calls_and_only_itself() -> None:
    handler = Recorder(broken=["e100"])
    effects = await process(handler, [record(number) for number in range(256)])
    assert failed(effects) == [(100, "handler_error")]
    assert len(effects.sendings) == 255
    assert len(handler.calls) <= 17
    done = [each for call in handler.calls if "e100" not in call for each in call]
    assert done == [f"e{number}" for number in range(256) if number != 100]


async def test_try_later_has_the_whole_batch_again() -> None:
    handler = Recorder(away=["e1"], away_for=2)
    effects = await process(handler, [record(number) for number in range(3)])
    assert handler.calls == [["e0", "e1", "e2"]] * 3
    assert len(effects.sendings) == 3


async def test_after_the_time_for_trying_each_message_has_one_try_alone() -> None:
    handler = Recorder(away=["e1"])
    effects = await process(handler, [record(number) for number in range(3)])
    assert failed(effects) == [(1, "enrichment_failure")]
    assert handler.calls[-3:] == [["e0"], ["e1"], ["e2"]]
    assert effects.failures[0].attempts > 3


async def test_what_cannot_be_read_never_reaches_the_handler() -> None:
    handler = Recorder()
    small = Settings(kafka=KafkaSettings(max_message_bytes=1024))
    records = [
        record(0),
        replace(record(1), value=b"{"),
        replace(record(2), value=b"x" * 1025),
        replace(record(3), value=None),
    ]
    effects = await process(handler, records, settings=small)
    assert handler.calls == [["e0"]]
    assert failed(effects) == [(1, "schema_violation"), (2, "size_violation"), (3, "schema_violation")]


@pytest.mark.parametrize(
    "poison",
    [
        {"timestamp_ms": 10**17},
        {"timestamp_ms": -(10**15)},
        {"value": b"[" * 100_000},
        {"value": b""},
        {"value": b"null"},
        {"value": b"\x00" * 50},
        {"key": None},
        {"headers": []},
        {"headers": [("content-type", b"application/cloudevents+json")]},
        {"headers": [("ce_type", b"\xff"), ("ce_id", b"\x00"), ("ce_source", b""), ("ce_specversion", b"9")]},
        {"headers": [("ce_time", b"never"), ("traceparent", b"\xfe")]},
    ],
    ids=str,
)
async def test_no_bytes_whatever_stop_the_partition(poison: dict[str, Any]) -> None:
    handler = Recorder()
    effects = await process(handler, [replace(record(0), **poison), record(1)])
    assert ["e1"] in [call[-1:] for call in handler.calls]
    assert len(effects.failures) + len(effects.sendings) == 2


async def test_an_output_that_cannot_be_sent_is_the_handlers_failure() -> None:
    async def unknown_topic(messages: Sequence[Message]) -> Sequence[Outgoing]:
        return [replace(viewed(1), topic="nowhere.v1") for _ in messages]

    async def huge(messages: Sequence[Message]) -> Sequence[Outgoing]:
        raise NotFound("x" * 5000)

    assert failed(await process(unknown_topic, [record(0)])) == [(0, "handler_error")]
    assert failed(await process(huge, [record(0)])) == [(0, "handler_error")]


async def test_duplicates_are_left_out_within_a_batch_and_across_batches() -> None:
    handler, window = Recorder(), SeenWindow(100)
    await process(handler, [record(1, offset=0), record(1, offset=1), record(2, offset=2)], window)
    await process(handler, [record(2, offset=3), record(3, offset=4)], window)
    assert handler.calls == [["e1", "e2"], ["e3"]]


async def test_without_a_window_the_same_id_comes_again() -> None:
    handler = Recorder()
    await process(handler, [record(1, offset=0), record(1, offset=1)], SeenWindow(0))
    assert handler.calls == [["e1", "e1"]]


async def test_a_replay_is_for_its_group_and_no_duplicate() -> None:
    handler, window = Recorder(), SeenWindow(100)
    await process(handler, [record(1, offset=0)], window)
    ours = record(1, {REPLAY_FOR: b"g", REPLAY_OF: b"g/0/0"}, offset=1)
    twice = record(1, {REPLAY_FOR: b"g", REPLAY_OF: b"g/0/0"}, offset=2)
    theirs = record(2, {REPLAY_FOR: b"other", REPLAY_OF: b"other/0/0"}, offset=3)
    await process(handler, [ours, twice, theirs], window)
    assert handler.calls == [["e1"], ["e1"]]


async def test_what_an_attempt_left_behind_is_taken_back_when_it_fails() -> None:
    kept: list[str] = []
    under_way: list[str] = []

    @contextmanager
    def attempt() -> Iterator[None]:
        under_way.clear()
        yield
        kept.extend(under_way)

    async def handler(messages: Sequence[Message]) -> Sequence[Outgoing]:
        for message in messages:
            under_way.append(message.envelope.id)
            if message.envelope.id == "e2":
                raise ValueError("broken")
        return ()

    processor = Processor("g", handler, SETTINGS, attempt)
    await processor.run([record(number) for number in range(4)], SeenWindow(0), lambda: None)
    assert kept == ["e0", "e1", "e3"]
