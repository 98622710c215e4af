"""Pictures of the whole shop that are made anew every so often: the product graph, and what people make of products."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Generic, TypeVar

import structlog

from rapport.ops.errors import RetryableError
from rapport.ops.parts import Health
from rapport.ops.tasks import Background

log = structlog.stdlib.get_logger(__name__)
T = TypeVar("T")

Read = Callable[[str], Awaitable[T]]
"""Makes a tenant's picture. Raises `RetryableError`."""
# A picture takes at most this share of the time, however large the shop grows.
_SHARE = 0.05


class Refreshing(Background, Generic[T]):
    """The newest picture of each tenant, as a part; while Redis is away, the last one."""

    def __init__(self, name: str, read: Read[T], tenants: Callable[[], list[str]], nothing: T, every_s: float) -> None:
        """`nothing`: of a tenant that there is no picture of yet."""
        self.name = name
        self._read, self._tenants, self._nothing, self._every_s = read, tenants, nothing, every_s
        self._pictures: dict[str, T] = {}

    def of(self, tenant: str) -> T:
        return self._pictures.get(tenant, self._nothing)

    def health(self) -> Health:
        return replace(super().health(), detail=f"{len(self._pictures)} tenants")

    async def refresh(self) -> None:
        """Once, for all tenants."""
        for tenant in self._tenants():
            self._pictures[tenant] = await self._read(tenant)

    async def _run(self) -> None:
        while True:
            began = time.monotonic()
            try:
                await self.refresh()
            except RetryableError as error:
                log.debug("the last picture stays", part=self.name, error=str(error))
            await asyncio.sleep(max(self._every_s, (time.monotonic() - began) / _SHARE))


def as_mapping(pairs: list[tuple[bytes, float]]) -> Mapping[str, float]:
    """Members and scores of a sorted set."""
    return {member.decode(): float(score) for member, score in pairs}
