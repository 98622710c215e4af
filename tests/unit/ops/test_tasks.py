"""A background task ends, even if it misses that it was cancelled."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from rapport.ops.tasks import Background, end, uncut


async def test_a_task_that_loses_a_cancellation_ends_all_the_same() -> None:
    lost = 0

    async def loses_two() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                lost += 1
                if lost > 2:
                    raise

    task = asyncio.create_task(loses_two())
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await end(task)
    assert task.cancelled()


@pytest.mark.parametrize("error", [None, ValueError("gone wrong")])
async def test_what_has_ended_is_left_alone(error: Exception | None) -> None:
    async def ends() -> None:
        if error:
            raise error

    task = asyncio.create_task(ends())
    with contextlib.suppress(ValueError):
        await task
    await end(task)
    await end(None)


async def test_what_must_not_be_cut_finishes_before_its_caller_ends() -> None:
    begun, may_end, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def opens() -> None:
        begun.set()
        await may_end.wait()
        ended.set()

    task = asyncio.create_task(uncut(opens()))
    await begun.wait()
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0.01)
    assert not task.done()
    may_end.set()
    async with asyncio.timeout(20):
        await asyncio.wait({task})
    assert ended.is_set()
    assert task.cancelled()


async def test_what_never_ends_is_cut_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rapport.ops.tasks._FINISH_WITHIN_S", 0.01)
    task = asyncio.create_task(uncut(asyncio.sleep(1000)))
    await asyncio.sleep(0)
    async with asyncio.timeout(20):
        await end(task)
    assert task.cancelled()


async def test_results_and_errors_pass_through_what_is_not_cut() -> None:
    async def fails() -> None:
        raise ValueError("no")

    assert await uncut(asyncio.sleep(0, result=3)) == 3
    with pytest.raises(ValueError, match="no"):
        await uncut(fails())


class Breaks(Background):
    name = "breaks"

    async def _run(self) -> None:
        self._detail = "about to break"
        raise ValueError("gone wrong")


async def test_a_part_whose_task_has_ended_is_not_live() -> None:
    part = Breaks()
    assert part.health().live
    await part.start()
    async with asyncio.timeout(20):
        while part.health().live:  # noqa: ASYNC110 - health is asked for, it does not call
            await asyncio.sleep(0)
    assert part.health().detail == "about to break"
    with contextlib.suppress(ValueError):
        await part._task  # type: ignore[misc]
    await part.stop()
    assert part.health().live
