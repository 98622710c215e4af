"""The parts that work when nobody waits say of themselves whether they still do."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rapport.bus.messages import Outgoing
from services.content.adapters.background import LineWriter, Referee
from services.content.domain.budget import TokenBudget

from .conftest import line_handlers
from .test_experiments import handlers


class Broken:
    """A `Publisher` with a fault that nobody foresaw."""

    async def send_many(self, outgoing: Sequence[Outgoing]) -> None:
        raise RuntimeError("out of order")


async def test_a_referee_whose_task_has_ended_is_not_live() -> None:
    ready = asyncio.Event()
    part = Referee(handlers(), Broken(), 0.01, ready)
    await part.start()
    assert part.health().live
    assert part.health().detail == "outcomes not read yet"
    ready.set()
    async with asyncio.timeout(20):
        while part.health().live:  # noqa: ASYNC110 - health is asked, as the process asks it
            await asyncio.sleep(0.01)
    await part.stop()


async def test_a_line_writer_is_live_until_it_is_stopped_and_after() -> None:
    part = LineWriter(line_handlers()[0], TokenBudget(60), 10)
    assert part.health().live
    await part.start()
    assert part.health().live
    await part.stop()
    assert part.health().live
