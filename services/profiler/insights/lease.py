"""One analyst at a time, however many replicas of the profiler there are: a lease in Redis."""

from __future__ import annotations

import asyncio
import uuid

from rapport.ops.errors import RapportError
from rapport.ops.parts import Health
from rapport.ops.tasks import end
from rapport.vectors.connection import RedisConnection, translated

# A holder that falls silent is replaced after this; it looks three times as often.
_LASTS_S = 30.0
# Prolongs only what is ours: the lease may have passed on while this process was stopped.
_PROLONG = (
    "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) else return 0 end"
)
_GIVE_BACK = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end"


class Lease:
    """A part; `held` says whether this process is the one. Without Redis nobody is."""

    name = "lease"

    def __init__(self, redis: RedisConnection, tenant: str) -> None:
        self._redis, self._key, self._own = redis, f"{tenant}:lease:analyst", uuid.uuid4().hex
        self._task: asyncio.Task[None] | None = None
        self.held = False

    async def start(self) -> None:
        self._task = asyncio.create_task(self._keep(), name=self.name)

    async def stop(self) -> None:
        task, self._task = self._task, None
        await end(task)
        if self.held:
            self.held = False
            try:
                with translated():
                    await self._redis.client.eval(_GIVE_BACK, 1, self._key, self._own)
            except RapportError:
                return  # it runs out by itself

    def health(self) -> Health:
        return Health(detail="held" if self.held else "held by another analyst")

    async def _keep(self) -> None:
        while True:
            try:
                self.held = await self._renew()
            except RapportError:
                self.held = False
            await asyncio.sleep(_LASTS_S / 3)

    async def _renew(self) -> bool:
        lasts_ms = int(_LASTS_S * 1000)
        with translated():
            client = self._redis.client
            if self.held:
                return bool(await client.eval(_PROLONG, 1, self._key, self._own, lasts_ms))
            return bool(await client.set(self._key, self._own, nx=True, px=lasts_ms))
