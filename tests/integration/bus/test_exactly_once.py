"""Counts after kill -9, after a pause that outlasts the session, and after SIGTERM: every effect once."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from rapport.bus.producer import EventProducer
from rapport.ops.settings import Settings
from tests.integration.bus.processes import process
from tests.integration.bus.support import ids_on, ids_until, viewed

EVENTS, CUSTOMERS = 3000, 10
KILLS = 2


def _on(runtime: str, settings: Settings) -> tuple[str, Settings]:
    """What the process is told: which consumer, and which of the stateful runtimes."""
    if runtime == "handler":
        return runtime, settings
    kafka = settings.kafka.model_copy(update={"stateful_runtime": runtime})
    return "state", settings.model_copy(update={"kafka": kafka})


def _wanted(runtime: str) -> set[str]:
    if runtime == "handler":
        return {f"out-e{number}" for number in range(EVENTS)}
    return {f"c{customer}-{count + 1}" for customer in range(CUSTOMERS) for count in range(EVENTS // CUSTOMERS)}


async def _send_slowly(producer: EventProducer, seconds: float) -> None:
    """So that there is work under way whenever a process dies."""
    step = 30
    for first in range(0, EVENTS, step):
        await producer.send_many([viewed(number, CUSTOMERS) for number in range(first, first + step)])
        await asyncio.sleep(seconds * step / EVENTS)


async def _progressed(settings: Settings, beyond: int) -> int:
    """Waits until there are more outputs than `beyond`. How many there are."""
    deadline = time.monotonic() + 40
    while (count := len(await ids_on(settings))) <= beyond:
        assert time.monotonic() < deadline, f"no more than {count} outputs"
        await asyncio.sleep(0.2)
    return count


@pytest.mark.parametrize("runtime", ["handler", "faust", "aiokafka"])
async def test_kills_lose_nothing_and_double_nothing(
    runtime: str, settings: Settings, producer: EventProducer, tmp_path: Path
) -> None:
    sending = asyncio.create_task(_send_slowly(producer, 12))
    done = 0
    for _ in range(KILLS):
        with process(*_on(runtime, settings), tmp_path / "log") as victim:
            done = await _progressed(settings, done)
            victim.kill()
    with process(*_on(runtime, settings), tmp_path / "log") as last:
        found = await ids_until(settings, _wanted(runtime), 60)
        await sending
        assert last.terminate() == 0
    # The state's counts are the ids: a lost event leaves the highest out, a doubled one makes an id too many.
    assert found.keys() == _wanted(runtime)
    assert set(found.values()) == {1}


@pytest.mark.parametrize("runtime", ["handler", "faust"])
async def test_a_member_that_sleeps_through_its_session_cannot_commit_when_it_wakes(
    runtime: str, settings: Settings, producer: EventProducer, tmp_path: Path
) -> None:
    sending = asyncio.create_task(_send_slowly(producer, 10))
    with process(*_on(runtime, settings), tmp_path / "sleeper") as sleeper:
        await _progressed(settings, 0)
        sleeper.pause()
        done = len(await ids_on(settings))
        with process(*_on(runtime, settings), tmp_path / "successor"):
            await _progressed(settings, done + 200)  # by the successor: it has the partitions now
            sleeper.wake()
            found = await ids_until(settings, _wanted(runtime), 60)
            await sending
            assert sleeper.alive
    assert found.keys() == _wanted(runtime)
    assert set(found.values()) == {1}
