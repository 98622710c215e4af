"""When products were first seen, in Redis.

A shop's first day fills the catalogue; what comes later is a new arrival. After a loss of Redis the day on which it is
filled again counts as the first: for a day nothing is called new, rather than old products that were changed lately.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rapport.vectors.connection import RedisConnection, execute
from rapport.vectors.keys import document
from services.recommender.ports import Clock

_FIRST_DAY_MS = 86_400_000
# No product has this id: ids are not empty.
_OPENED = ""


class RedisArrivals:
    """`Arrivals`: a hash of each tenant, product to milliseconds."""

    def __init__(self, redis: RedisConnection, clock: Clock) -> None:
        self._redis, self._clock = redis, clock

    async def note(self, tenant: str, seen_ms: Mapping[str, int]) -> dict[str, int | None]:
        if not seen_ms:
            return {}
        key = document(tenant, "arrivals", "all")
        pipeline = self._redis.pipeline()
        pipeline.hsetnx(key, _OPENED, int(self._clock().timestamp() * 1000))
        for product_id, at in seen_ms.items():
            pipeline.hsetnx(key, product_id, at)
        pipeline.hmget(key, [_OPENED, *seen_ms])
        opened, *arrived = map(int, (await execute(pipeline))[-1])
        pairs = zip(seen_ms, arrived, strict=True)
        return {product_id: at if at >= opened + _FIRST_DAY_MS else None for product_id, at in pairs}

    async def forget(self, tenant: str, product_ids: Sequence[str]) -> None:
        pipeline = self._redis.pipeline()
        pipeline.hdel(document(tenant, "arrivals", "all"), *product_ids)
        await execute(pipeline)
