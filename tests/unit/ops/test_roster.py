"""Parts start in order and stop in reverse, whatever one of them does."""

from __future__ import annotations

import asyncio

import pytest

from rapport.ops.errors import ConfigurationError
from rapport.ops.parts import Health
from rapport.ops.roster import Roster


class Noted:
    """A part that writes down what happens to it."""

    def __init__(self, name: str, diary: list[str], *, start: float = 0.0, stop: float = 0.0, broken: bool = False):
        self.name = name
        self.begun = asyncio.Event()
        self._diary, self._start_s, self._stop_s, self._broken = diary, start, stop, broken

    async def start(self) -> None:
        self._diary.append(f"+{self.name}")
        self.begun.set()
        await asyncio.sleep(self._start_s)

    async def stop(self) -> None:
        self._diary.append(f"-{self.name}")
        await asyncio.sleep(self._stop_s)
        if self._broken:
            raise OSError("cannot")

    def health(self) -> Health:
        return Health(detail="fine")


async def test_parts_start_in_order_and_stop_in_reverse_though_one_hangs_and_one_fails() -> None:
    diary: list[str] = []
    roster = Roster()
    roster.add([Noted("a", diary), Noted("b", diary, stop=60), Noted("c", diary, broken=True)])
    await roster.start()
    roster.complete = True
    assert roster.report() == {name: Health(detail="fine") for name in "abc"}
    await roster.stop(within_s=0.05)
    assert diary == ["+a", "+b", "+c", "-c", "-b", "-a"]


async def test_a_start_cut_short_is_stopped_too_and_later_parts_are_left_alone() -> None:
    diary: list[str] = []
    roster = Roster()
    slow = Noted("slow", diary, start=60)
    roster.add([Noted("a", diary), slow, Noted("c", diary)])
    starting = asyncio.create_task(roster.start())
    await slow.begun.wait()
    assert {name: (health.ready, health.detail) for name, health in roster.report().items()} == {
        "a": (True, "fine"), "slow": (False, "starting"), "c": (False, "waiting"), "process": (False, "starting"),
    }  # fmt: skip
    starting.cancel()
    await asyncio.wait({starting})
    await roster.stop()
    assert diary == ["+a", "+slow", "-slow", "-a"]


def test_two_parts_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="two parts are called a"):
        Roster().add([Noted("a", []), Noted("a", [])])
