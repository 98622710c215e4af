"""State per key: what a handler sees, what is taken back, what goes to the changelog."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.bus.keyed_state import Entry, PartitionState
from rapport.bus.messages import KeyedState, Position
from rapport.ops.errors import SizeViolation
from rapport.ops.settings import KafkaSettings


def _at(offset: int, partition: int = 0) -> Position:
    return Position("clickstream.v1", partition, offset)


def _state() -> PartitionState:
    return PartitionState("g.state.v1", 0, KafkaSettings(max_message_bytes=1024))


@given(st.binary(), st.dictionaries(st.integers(0, 2**32 - 1), st.integers(0, 2**63), max_size=5))
def test_an_entry_reads_back_as_it_was_written(value: bytes, offsets: dict[int, int]) -> None:
    assert Entry.unpack(Entry(value, offsets).pack()) == Entry(value, offsets)


def test_a_handler_sees_its_own_changes_and_others_only_once_they_are_kept() -> None:
    state = _state()
    seen: KeyedState = state
    with state.attempt():
        seen.put("c1", b"one", _at(4))
        assert seen.get("c1") == b"one"
        assert seen.includes("c1", _at(4))
        assert not seen.includes("c1", _at(5))
        assert not seen.includes("c1", _at(0, partition=1))
    assert list(state.items()) == []
    assert [(change.key, change.partition) for change in state.changes()] == [(b"c1", 0)]
    state.keep()
    assert list(state.items()) == [("c1", b"one")]
    assert state.changes() == []


def test_a_failed_call_changes_nothing_and_keeps_what_came_before_it() -> None:
    state = _state()
    with state.attempt():
        state.put("c1", b"one", _at(1))

    def fails() -> None:
        with state.attempt():
            state.put("c1", b"two", _at(2))
            state.delete("c2")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert state.get("c1") == b"one"
    assert len(state.changes()) == 1


def test_a_deleted_key_is_gone_and_becomes_a_tombstone() -> None:
    state = _state()
    with state.attempt():
        state.put("c1", b"one", _at(1))
    state.keep()
    with state.attempt():
        state.delete("c1")
        assert state.get("c1") is None
        assert not state.includes("c1", _at(1))
    assert [(change.key, change.value) for change in state.changes()] == [(b"c1", None)]
    state.keep()
    assert list(state.items()) == []


def test_a_key_that_comes_on_two_partitions_remembers_both() -> None:
    state = _state()
    with state.attempt():
        state.put("c1", b"one", _at(9, partition=0))
        state.put("c1", b"two", _at(2, partition=1))
    assert state.includes("c1", _at(9, partition=0))
    assert state.includes("c1", _at(2, partition=1))


def test_state_that_the_changelog_would_refuse_is_refused_at_once() -> None:
    state = _state()
    with pytest.raises(SizeViolation), state.attempt():
        state.put("c1", b"x" * 1025, _at(1))
    assert state.changes() == []


def test_the_inbox_has_offsets_of_its_own() -> None:
    state = PartitionState("g.state.v1", 0, KafkaSettings(max_message_bytes=1024), "profiler.inbox.v1")
    errand = Position("profiler.inbox.v1", 0, 9)
    with state.attempt():
        state.put("c1", b"one", _at(4))
        assert not state.includes("c1", Position("profiler.inbox.v1", 0, 4))
        state.put("c1", b"two", errand)
    state.keep()
    assert state.includes("c1", errand)
    assert state.includes("c1", _at(4))
    assert not state.includes("c1", _at(5))
