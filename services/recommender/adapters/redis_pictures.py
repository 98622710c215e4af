"""The whole shop as Redis has it: all ties for the product graph, the boards of reactions for the statistics."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from rapport.vectors.connection import RedisConnection, execute
from services.recommender.adapters import counting_keys as keys
from services.recommender.adapters.refreshing import as_mapping
from services.recommender.domain.catalogue import Catalogues
from services.recommender.domain.decay import REACTIONS
from services.recommender.domain.graph import ProductGraph
from services.recommender.domain.graph_building import build
from services.recommender.domain.reactions import ItemStatistics
from services.recommender.domain.situation import Tie

_TIES = msgspec.msgpack.Decoder(list[Tie])
# Of each board of reactions, the products that are read. What is hardly shown has the shop's mean anyway.
_READ = 5000


class RedisPictures:
    """Reads what `Refreshing` keeps."""

    def __init__(self, redis: RedisConnection, catalogues: Catalogues) -> None:
        self._redis, self._catalogues = redis, catalogues

    async def graph(self, tenant: str) -> ProductGraph:
        """The product graph as it is now. Built in a thread: a large one takes seconds."""
        prefix = keys.counting_prefix(tenant, "co-visits")
        ties: dict[str, Sequence[Tie]] = {}
        async for page in self._redis.scan(prefix):
            values = await self._redis.read(page)
            ties |= {
                key.removeprefix(prefix): _TIES.decode(value)
                for key, value in zip(page, values, strict=True)
                if value is not None
            }
        pipeline = self._redis.pipeline()
        pipeline.get(keys.board(tenant, "clock"))
        (clock,) = await execute(pipeline)
        products = list(self._catalogues.of(tenant).products.values())
        return await asyncio.to_thread(build, products, ties, int(float(clock)) if clock else 0)

    async def statistics(self, tenant: str) -> ItemStatistics:
        """Clicks, impressions and refusals as they are worth now."""
        pipeline = self._redis.pipeline()
        for name in ("examined", "clicked", "refused"):
            pipeline.zrevrange(keys.board(tenant, name), 0, _READ - 1, withscores=True)
        pipeline.get(keys.board(tenant, "clock"))
        *boards, clock = await execute(pipeline)
        at_ms = int(float(clock)) if clock else 0
        examined, clicked, refused = (
            {product_id: REACTIONS.worth(mark, at_ms) for product_id, mark in as_mapping(board).items()}
            for board in boards
        )
        looks = sum(examined.values())
        return ItemStatistics(examined, clicked, refused, min(1.0, sum(clicked.values()) / looks) if looks else 0.0)
