"""Orders in Redis, by customer: a reader gets one customer's orders and has no way to ask for another's by number.

<tenant>:orders:<customer>          hash of order id → order, JSON
<tenant>:order-customer:<order>     whose order it is: a tombstone names only the order
<tenant>:orders-whole:marker        there as long as nothing was lost
"""

from __future__ import annotations

from collections.abc import Mapping

from rapport.events.orders import OrderUpdated
from rapport.vectors import keys
from rapport.vectors.connection import RedisConnection, execute, translated

_WHOLE = ("orders-whole", "marker")
# Orders written in one round trip.
_AT_ONCE = 500


class RedisOrders:
    """`Orders` on Redis."""

    def __init__(self, redis: RedisConnection) -> None:
        self._redis = redis

    async def of_customer(self, tenant: str, customer_id: str) -> list[OrderUpdated]:
        with translated():
            found = await self._redis.client.hvals(keys.document(tenant, "orders", customer_id))
        return [OrderUpdated.model_validate_json(order) for order in found]

    async def keep(self, tenant: str, changes: Mapping[str, OrderUpdated | None]) -> None:
        """Reads, compares and writes in three round trips a batch: one consumer at a time has an order's partition."""
        before = await self._before(tenant, list(changes))
        pipeline = self._redis.pipeline()
        for order_id, order in changes.items():
            owner_key = keys.document(tenant, "order-customer", order_id)
            kept = before.get(order_id)
            if order is not None and kept is not None and kept.updated_at > order.updated_at:
                continue
            if kept is not None and (order is None or order.customer_id != kept.customer_id):
                pipeline.hdel(keys.document(tenant, "orders", kept.customer_id), order_id)
            if order is None:
                pipeline.unlink(owner_key)
            else:
                pipeline.hset(keys.document(tenant, "orders", order.customer_id), order_id, order.to_json())
                pipeline.set(owner_key, order.customer_id)
        await execute(pipeline)

    async def fill(self, orders: Mapping[tuple[str, str], OrderUpdated]) -> None:
        """Adds orders by tenant and id where there are none."""
        listed = list(orders.items())
        for at in range(0, len(listed), _AT_ONCE):
            pipeline = self._redis.pipeline()
            for (tenant, order_id), order in listed[at : at + _AT_ONCE]:
                pipeline.hsetnx(keys.document(tenant, "orders", order.customer_id), order_id, order.to_json())
                pipeline.setnx(keys.document(tenant, "order-customer", order_id), order.customer_id)
            await execute(pipeline)

    async def whole(self, tenant: str) -> bool:
        """False after Redis was emptied, and before it was ever filled."""
        return (await self._redis.read([keys.document(tenant, *_WHOLE)]))[0] is not None

    async def mark_whole(self, tenant: str) -> None:
        await self._redis.write({keys.document(tenant, *_WHOLE): b"1"})

    async def _before(self, tenant: str, order_ids: list[str]) -> dict[str, OrderUpdated]:
        owners = await self._redis.read([keys.document(tenant, "order-customer", order_id) for order_id in order_ids])
        pipeline, asked = self._redis.pipeline(), []
        for order_id, owner in zip(order_ids, owners, strict=True):
            if owner is not None:
                asked.append(order_id)
                pipeline.hget(keys.document(tenant, "orders", owner.decode()), order_id)
        found = await execute(pipeline)
        kept = {order_id: order for order_id, order in zip(asked, found, strict=True) if order is not None}
        return {order_id: OrderUpdated.model_validate_json(order) for order_id, order in kept.items()}
