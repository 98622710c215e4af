"""The window of seen ids: as wide as stated, and the same however it was filled."""

from __future__ import annotations

from collections.abc import Sequence

from rapport.bus.messages import Message, Outgoing
from rapport.bus.processing import Processor
from rapport.bus.records import message_of
from rapport.bus.window import SeenWindow, identity
from tests.unit.bus.support import SETTINGS, record


def _add(window: SeenWindow, number: int, offset: int) -> None:
    window.add(_name(number), offset)


def _holds(window: SeenWindow, number: int, offset: int) -> bool:
    return window.holds(_name(number), offset)


def _name(number: int) -> str:
    return identity(record(number), message_of(record(number), SETTINGS))


def test_it_holds_as_many_offsets_as_stated_and_forgets_the_rest() -> None:
    window = SeenWindow(100)
    for offset in range(1000):
        _add(window, offset, offset)
    assert _holds(window, 900, 1000)
    assert not _holds(window, 899, 1000)
    assert len(window) <= 101


def test_it_is_the_same_when_it_is_filled_from_its_beginning_alone() -> None:
    whole, restarted = SeenWindow(50), SeenWindow(50)
    for offset in range(200):
        _add(whole, offset % 70, offset)
    for offset in range(150, 200):
        _add(restarted, offset % 70, offset)
    for number in range(70):
        assert _holds(whole, number, 200) == _holds(restarted, number, 200)


def test_an_event_seen_again_stays_as_long_as_its_last_occurrence() -> None:
    window = SeenWindow(10)
    _add(window, 1, 0)
    _add(window, 1, 8)
    _add(window, 2, 15)
    assert _holds(window, 1, 16)


async def test_a_duplicate_that_was_left_out_still_counts_as_seen() -> None:
    async def handler(messages: Sequence[Message]) -> Sequence[Outgoing]:
        handled.extend(message.position.offset for message in messages)
        return ()

    handled: list[int] = []
    window = SeenWindow(10)
    processor = Processor("g", handler, SETTINGS)
    for offset in (0, 8, 15):
        effects = await processor.run([record(1, offset=offset)], window, lambda: None)
        effects.remember(window)
    assert handled == [0]


def test_of_size_nothing_it_sees_nothing() -> None:
    window = SeenWindow(0)
    _add(window, 1, 0)
    assert not _holds(window, 1, 1)
