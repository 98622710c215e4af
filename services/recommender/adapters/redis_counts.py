"""The counts of behaviour in Redis, each message once in effect."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from rapport.bus.messages import Position
from rapport.ops.errors import UnavailableError
from rapport.vectors.connection import RedisConnection, execute
from services.recommender.adapters import counting_keys as keys
from services.recommender.adapters.scripts import ADD
from services.recommender.domain.counting import SHOPPERS_KEPT, Counted
from services.recommender.domain.reactions import Reactions
from services.recommender.domain.trail import Trail

# Products that a product may be tied to. Many more than are shown, so that a new tie has time to grow.
_TIES_KEPT = 64
# Products on a board. What is not among the first few hundred is neither trending nor popular.
_BOARD_KEPT = 10_000
_DAY_S = 86_400
# Ties fade by half in 14 days; after 90 without a visit a hundredth is left. A trail leads back as far as a profile's
# recent products mean anything. A day's shoppers are asked for on that day, somewhere on Earth.
_TIES_EXPIRE_S, _TRAILS_EXPIRE_S, _DAYS_EXPIRE_S = 90 * _DAY_S, 30 * _DAY_S, 3 * _DAY_S

Place = tuple[str, int]


class RedisCounts:
    """`Counts` of the topics that begin with `topic_prefix`."""

    def __init__(self, redis: RedisConnection, tenant: str, topic_prefix: str) -> None:
        """`tenant`: the default one, which the marks that concern all tenants are kept under."""
        self._redis, self._tenant, self._prefix = redis, tenant, topic_prefix
        # How far this process has counted. Finding less means that Redis was lost or restored meanwhile.
        self._written: dict[tuple[str, Place], int] = {}

    async def reached(self, topic: str, partition: int) -> int:
        """The first offset that is not counted for every tenant: 0 when nothing is known of the partition."""
        for known in [known for known in self._written if known[1] == (topic, partition)]:
            del self._written[known]
        pipeline = self._redis.pipeline()
        pipeline.get(keys.reached(self._tenant, self._prefix + topic, partition))
        (raw,) = await execute(pipeline)
        return _offset(raw) + 1

    async def load(
        self, tenant: str, at: Position, customers: Iterable[str]
    ) -> tuple[int, dict[str, Trail], dict[str, Reactions]]:
        wanted = list(customers)
        pipeline = self._redis.pipeline()
        pipeline.get(self._counted(tenant, at.topic, at.partition))
        for customer in wanted:
            pipeline.get(keys.trail(tenant, customer))
            pipeline.get(keys.reactions(tenant, customer))
        counted, *documents = await execute(pipeline)
        after = _offset(counted)
        written = self._written.get((tenant, (at.topic, at.partition)), -1)
        if after < written:
            raise UnavailableError(f"{at.topic}/{at.partition} was counted up to {written}, Redis now says {after}")
        trails = {who: Trail.decode(data) for who, data in zip(wanted, documents[::2], strict=True) if data}
        return after, trails, {
            who: Reactions.decode(data) for who, data in zip(wanted, documents[1::2], strict=True) if data
        }  # fmt: skip

    async def add(self, tenant: str, counted: Counted, after: int, upto: Position) -> bool:
        names = [
            self._counted(tenant, upto.topic, upto.partition),
            keys.board(tenant, "clock"),
            *(keys.board(tenant, name) for name, marks in counted.boards.items() if marks),
            *(keys.shoppers(tenant, day) for day in counted.shoppers),
            *(keys.co_visits(tenant, product_id) for product_id in counted.pairings),
            *(keys.trail(tenant, customer) for customer in counted.trails),
            *(keys.reactions(tenant, customer) for customer in counted.reactions),
        ]
        documents = [trail.encode() for trail in counted.trails.values()]
        documents += [known.encode() for known in counted.reactions.values()]
        pipeline = self._redis.pipeline()
        pipeline.execute_command("EVAL", ADD, len(names), *names, _packed(counted, after, upto.offset), *documents)
        (done,) = await execute(pipeline)
        if done:
            self._written[tenant, (upto.topic, upto.partition)] = upto.offset
        return bool(done)

    async def reach(self, upto: Position) -> None:
        pipeline = self._redis.pipeline()
        pipeline.set(keys.reached(self._tenant, self._prefix + upto.topic, upto.partition), upto.offset)
        await execute(pipeline)

    async def intact(self) -> bool:
        """False when Redis has less than this process has counted. Raises `UnavailableError`."""
        written = dict(self._written)
        pipeline = self._redis.pipeline()
        for tenant, (topic, partition) in written:
            pipeline.get(self._counted(tenant, topic, partition))
        found = await execute(pipeline)
        return all(_offset(raw) >= offset for raw, offset in zip(found, written.values(), strict=True))

    def _counted(self, tenant: str, topic: str, partition: int) -> str:
        return keys.counted(tenant, self._prefix + topic, partition)


def _offset(raw: bytes | None) -> int:
    return -1 if raw is None else int(raw)


def _packed(counted: Counted, after: int, upto: int) -> bytes:
    """What the script `ADD` reads, in the order of its keys."""
    additions: dict[str, Any] = {
        "after": after,
        "upto": upto,
        "latest_ms": counted.latest_ms,
        "boards": [list(marks.items()) for marks in counted.boards.values() if marks],
        "days": [list(products.items()) for products in counted.shoppers.values()],
        "ties": [
            [(other, tie.mark, tie.looked, tie.bought) for other, tie in ties.items()]
            for ties in counted.pairings.values()
        ],
        "shoppers_kept": SHOPPERS_KEPT,
        "ties_kept": _TIES_KEPT,
        "board_kept": _BOARD_KEPT,
        "ties_expire_s": _TIES_EXPIRE_S,
        "trails_expire_s": _TRAILS_EXPIRE_S,
        "days_expire_s": _DAYS_EXPIRE_S,
    }
    return msgspec.msgpack.encode(additions)
