"""Brings back what Redis has lost of the chatbot: all of it is on topics."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from rapport.ops.errors import RapportError
from rapport.ops.tasks import Background


class Held(Protocol):
    """What Redis holds, and a mark there that nothing of it was lost. Every method raises `UnavailableError`."""

    async def whole(self, tenant: str) -> bool: ...

    async def mark_whole(self, tenant: str) -> None: ...


class Keeper(Background):
    """Looks every `every_s` seconds whether `held` is whole, as a part; if not, has `fill` read the topics.

    `fill` never replaces anything: what consumers have written meanwhile is newer.
    """

    def __init__(self, name: str, held: Held, fill: Callable[[], Awaitable[None]], tenant: str, every_s: float) -> None:
        self.name = name
        self._held, self._fill, self._tenant, self._every_s = held, fill, tenant, every_s
        self._detail = "not looked at yet"

    async def _run(self) -> None:
        while True:
            try:
                if not await self._held.whole(self._tenant):
                    await self._fill()
                    await self._held.mark_whole(self._tenant)
                self._detail = ""
            except RapportError as error:
                self._detail = str(error)
            await asyncio.sleep(self._every_s)
