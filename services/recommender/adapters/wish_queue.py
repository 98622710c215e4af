"""Customers whose wishes are to be written: a few at a time, the newest first, and never faster than allowed."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import structlog

from rapport.events.profiles import ProfileUpdated
from rapport.ops.errors import PermanentError, RetryableError
from rapport.ops.metrics import counter
from rapport.ops.parts import Health
from rapport.ops.tasks import Background
from rapport.serving.client import Priority
from rapport.serving.generator_client import GeneratorClient, Turn, collect

log = structlog.stdlib.get_logger(__name__)

Write = Callable[[str, ProfileUpdated], Awaitable[Sequence[str]]]
# Customers that wait. Beyond it those who came first are dropped: who is here now is served.
_MOST_WAITING = 200
# A customer's wishes are written anew after so long at the earliest: a generator gives a few texts a second.
_AGAIN_AFTER_S = 600.0
# Customers of whom it is remembered when that was.
_REMEMBERED = 50_000
_PAUSE_S = 5.0


class WorkerWishes:
    """`WishWriter` over a model worker with a generator."""

    def __init__(self, generator: GeneratorClient) -> None:
        self._generator = generator

    async def write(self, asked: Sequence[tuple[str, str]]) -> str:
        turns = [Turn(role, text) for role, text in asked]
        # Three short lines. As bulk work, so that a chat never waits for it.
        pieces = self._generator.generate(turns, max_tokens=48, temperature=0.0, priority=Priority.BULK, timeout_s=60.0)
        return (await collect(pieces)).text


class WishQueue(Background):
    """`Wishing`, as a part."""

    name = "wishes"

    def __init__(self, write: Write, every_s: float) -> None:
        """`every_s`: the least time between two texts."""
        self._write, self._every_s = write, every_s
        self._waiting: OrderedDict[tuple[str, str], ProfileUpdated] = OrderedDict()
        self._written: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._more = asyncio.Event()
        self._count = counter("recommender_wishes", "Customers whose wishes were written")

    def note(self, tenant: str, profile: ProfileUpdated) -> None:
        key = tenant, profile.customer_id
        if time.monotonic() - self._written.get(key, -_AGAIN_AFTER_S) < _AGAIN_AFTER_S:
            return
        self._waiting[key] = profile
        self._waiting.move_to_end(key)
        if len(self._waiting) > _MOST_WAITING:
            self._waiting.popitem(last=False)
        self._more.set()

    def health(self) -> Health:
        return replace(super().health(), detail=f"{len(self._waiting)} customers wait")

    async def _run(self) -> None:
        while True:
            await self._more.wait()
            key, profile = self._waiting.popitem()
            if not self._waiting:
                self._more.clear()
            began = time.monotonic()
            try:
                await self._write(key[0], profile)
                self._count.inc()
            except RetryableError as error:
                log.debug("wishes wait", error=str(error))
                await asyncio.sleep(_PAUSE_S)
                continue
            except PermanentError as error:
                log.warning("no wishes for a customer", error=str(error))
            self._written[key] = time.monotonic()
            if len(self._written) > _REMEMBERED:
                self._written.popitem(last=False)
            await asyncio.sleep(max(0.0, self._every_s - (time.monotonic() - began)))
