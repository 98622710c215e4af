"""Keeps the serving copies whole: at the start, and when Redis comes back without them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from rapport.ops.errors import RetryableError
from rapport.ops.tasks import Background

log = structlog.stdlib.get_logger(__name__)


class CopyKeeper(Background):
    """Looks at the copies every `every_s` seconds, as a part, and calls `restore` when they are not whole."""

    name = "copies"

    def __init__(
        self,
        owns: Callable[[], bool],
        intact: Callable[[], Awaitable[bool]],
        restore: Callable[[], Awaitable[int]],
        every_s: float,
    ) -> None:
        """`owns`: whether the states are there to restore from. `restore` says how many copies it wrote."""
        self._owns, self._intact, self._restore, self._every_s = owns, intact, restore, every_s
        self._detail = "not looked at yet"

    async def _run(self) -> None:
        whole = False
        while True:
            await asyncio.sleep(self._every_s)
            try:
                if not self._owns() or (whole and await self._intact()):
                    continue
                whole = False
                written = await self._restore()
            except RetryableError as error:
                self._detail = str(error)
            else:
                whole, self._detail = True, f"{written} restored"
                log.info("serving copies are whole", written=written)
