"""What was in an order, in Redis: for refunds that do not say it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from rapport.vectors.connection import RedisConnection, execute
from rapport.vectors.keys import document

_KIND = "order-lines"
# What is sent back later than this was refused for other reasons than taste.
_EXPIRE_S = 120 * 86_400
_DECODER = msgspec.msgpack.Decoder(list[str])


class RedisOrders:
    """`Orders`: one document an order."""

    def __init__(self, redis: RedisConnection) -> None:
        self._redis = redis

    async def keep(self, tenant: str, lines: Mapping[str, Sequence[str]]) -> None:
        pipeline = self._redis.pipeline()
        for order_id, product_ids in lines.items():
            pipeline.set(document(tenant, _KIND, order_id), msgspec.msgpack.encode(list(product_ids)), ex=_EXPIRE_S)
        await execute(pipeline)

    async def find(self, tenant: str, order_ids: Sequence[str]) -> dict[str, Sequence[str]]:
        raw = await self._redis.read([document(tenant, _KIND, order_id) for order_id in order_ids])
        return {order_id: _DECODER.decode(body) for order_id, body in zip(order_ids, raw, strict=True) if body}
