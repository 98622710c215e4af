"""Which ids were merged into a customer's, in Redis beside what is counted under them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rapport.vectors.connection import RedisConnection, execute
from services.recommender.adapters import counting_keys as keys

# Ids of one customer whose history is followed, the last merged first: a shopper has a handful of devices.
_MOST = 20
# What is counted under an id expires then.
_EXPIRE_S = 30 * 86_400


class RedisMerges:
    """`Merges`: a set for each customer."""

    def __init__(self, redis: RedisConnection) -> None:
        self._redis = redis

    async def note(self, tenant: str, merged: Mapping[str, Sequence[str]]) -> None:
        pipeline = self._redis.pipeline()
        for customer, ids in merged.items():
            key = keys.merged(tenant, customer)
            pipeline.sadd(key, *ids[:_MOST])
            pipeline.expire(key, _EXPIRE_S)
        await execute(pipeline)

    async def forget(self, tenant: str, customers: Sequence[str]) -> None:
        pipeline = self._redis.pipeline()
        for customer in customers:
            pipeline.delete(keys.merged(tenant, customer))
        await execute(pipeline)
