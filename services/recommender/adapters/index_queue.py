"""Products that wait to be embedded: worked off in the background, in batches, until it works."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

import structlog

from rapport.ops.errors import RapportError, RetryableError
from rapport.ops.metrics import gauge
from rapport.ops.parts import Health
from rapport.ops.tasks import Background

log = structlog.stdlib.get_logger(__name__)

# Products in a batch: one call to the worker. Small enough for the first of many to be found within seconds.
_BATCH = 64
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0

Work = Callable[[str, Sequence[str]], Awaitable[None]]
"""Indexes products of a tenant. A `RetryableError` has them tried again."""


class IndexQueue(Background):
    """`Indexing`, as a part. Each product waits once, however often it is added.

    Ready when nothing waits, or what waits cannot be done for now: a worker that is down must not keep the service,
    which answers without, from being used.
    """

    name = "indexing"

    def __init__(self, check: Callable[[], Awaitable[None]], check_every_s: float) -> None:
        """`check` is called every so often, for what may have to be indexed anew."""
        self._check, self._check_every_s = check, check_every_s
        self._waiting: dict[str, dict[str, None]] = {}
        self._more = asyncio.Event()
        self._settled = asyncio.Event()
        self._work: Work | None = None
        self._trouble = ""
        self._depth = gauge("recommender_products_to_index", "Products that wait to be embedded")

    def feeds(self, work: Work) -> None:
        """What is done with the products."""
        self._work = work

    def add(self, tenant: str, product_ids: Iterable[str]) -> None:
        self._waiting.setdefault(tenant, {}).update(dict.fromkeys(product_ids))
        if self.waiting(tenant):
            self._settled.clear()
            self._more.set()

    def waiting(self, tenant: str) -> bool:
        return bool(self._waiting.get(tenant))

    async def settled(self, within_s: float) -> bool:
        """True once nothing waits, or what waits cannot be done for now; False when that takes too long."""
        try:
            await asyncio.wait_for(self._settled.wait(), within_s)
        except TimeoutError:
            return False
        return True

    def health(self) -> Health:
        count = sum(map(len, self._waiting.values()))
        detail = f"{count} products wait" + (f": {self._trouble}" if self._trouble else "")
        return replace(super().health(), ready=not count or bool(self._trouble), detail=detail)

    async def _run(self) -> None:
        pause, checked_at = _FIRST_PAUSE_S, time.monotonic()
        while True:
            try:
                await self._work_off()
                if time.monotonic() - checked_at >= self._check_every_s:
                    checked_at = time.monotonic()
                    await self._check()
                self._trouble, pause = "", _FIRST_PAUSE_S
                self._settled.set()
            except RetryableError as error:
                if not self._trouble:
                    log.warning("indexing waits", error=str(error))
                self._trouble, pause = str(error), min(_LONGEST_PAUSE_S, 2 * pause)
                self._settled.set()
                await asyncio.sleep(pause)
                continue
            await self._wait(self._check_every_s)

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._more.wait(), seconds)
        except TimeoutError:
            return

    async def _work_off(self) -> None:
        self._more.clear()
        for tenant in list(self._waiting):
            while batch := self._take(tenant):
                try:
                    await self._index(tenant, batch)
                except RetryableError:
                    self.add(tenant, batch)
                    raise

    def _take(self, tenant: str) -> list[str]:
        waiting = self._waiting[tenant]
        batch = list(waiting)[:_BATCH]
        for product_id in batch:
            del waiting[product_id]
        self._depth.set(sum(map(len, self._waiting.values())))
        return batch

    async def _index(self, tenant: str, batch: Sequence[str]) -> None:
        """Halves a batch that fails for good, so that one product which cannot be embedded is left out alone."""
        if self._work is None:
            return
        try:
            await self._work(tenant, batch)
        except RetryableError:
            raise
        except RapportError as error:
            if len(batch) == 1:
                log.warning("product cannot be embedded", tenant=tenant, product=batch[0], error=str(error))
                return
            middle = len(batch) // 2
            await self._index(tenant, batch[:middle])
            await self._index(tenant, batch[middle:])
