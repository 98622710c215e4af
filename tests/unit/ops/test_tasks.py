"""A background task ends, even if it misses that it was cancelled."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from rapport.ops.tasks import end


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
