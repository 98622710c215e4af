"""What answers are made from, read from Redis in one round trip."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from rapport.events.profiles import ProfileUpdated
from rapport.vectors.connection import RedisConnection, execute
from rapport.vectors.keys import Space, document, embedding
from rapport.vectors.packing import unpack
from services.recommender.adapters import counting_keys as keys
from services.recommender.adapters.redis_wishes import WISHES, Wishes
from services.recommender.adapters.scripts import RECALL
from services.recommender.domain.reactions import Reactions
from services.recommender.domain.situation import Boards, Tie
from services.recommender.ports import Known, Recollection

# Written by the profiler: the profile as JSON, and the vectors [needs, d] of its needs.
_PROFILE, _NEED = "profile", "need"
# Products that a customer looked at whose ties are followed.
_FOLLOWED = 5
# Of each board, what is read: some are out of stock, bought, or of another category.
_READ = 100

_WIRE_TIES = msgspec.msgpack.Decoder(list[Tie])


class _Revision(msgspec.Struct):
    """The one field of a profile that says whether the rest is worth reading."""

    revision: int


_REVISION = msgspec.json.Decoder(_Revision)


class RedisMemory:
    """`Memory` on the connection that the process shares. `today` gives the ISO date in the shop's time zone."""

    def __init__(self, redis: RedisConnection, today: Callable[[], str]) -> None:
        self._redis, self._today = redis, today

    async def recall(
        self, tenant: str, customers: Mapping[str, Known], space: str | None
    ) -> tuple[dict[str, Recollection], Boards]:
        pipeline = self._redis.pipeline()
        wanted = Space.parse(space) if space else None
        prefix = keys.counting_prefix(tenant, "co-visits")
        for customer, at_hand in customers.items():
            pipeline.get(document(tenant, _PROFILE, customer))
            pipeline.get(keys.reactions(tenant, customer))
            pipeline.get(document(tenant, WISHES, customer))
            if wanted:
                pipeline.get(embedding(tenant, _NEED, wanted, customer))
            pipeline.execute_command(
                "EVAL", RECALL, 1, keys.trail(tenant, customer), prefix, _FOLLOWED, *at_hand.recent
            )
        self._ask_boards(pipeline, tenant)
        answers = iter(await execute(pipeline))
        known = {}
        for customer, at_hand in customers.items():
            profile, reactions, wishes = next(answers), next(answers), next(answers)
            vectors = next(answers) if wanted else None
            recent, ties = next(answers)
            kept = Wishes.decode(wishes) if wishes else None
            usable = kept is not None and kept.space == space
            known[customer] = Recollection(
                profile=_newer(profile, at_hand.revision),
                need_vectors=unpack(vectors) if vectors else None,
                recent=(seeds := [seed.decode() for seed in recent]),
                ties={seed: _ties(raw) for seed, raw in zip(seeds, ties, strict=True) if raw},
                reactions=Reactions.decode(reactions),
                wishes=kept.texts if kept and usable else (),
                wish_vectors=unpack(kept.vectors) if kept and usable else None,
            )
        return known, _boards(answers)

    async def tied(self, tenant: str, product_id: str) -> tuple[Sequence[Tie], Boards]:
        pipeline = self._redis.pipeline()
        pipeline.get(keys.co_visits(tenant, product_id))
        self._ask_boards(pipeline, tenant)
        answers = iter(await execute(pipeline))
        return _ties(next(answers)), _boards(answers)

    async def boards(self, tenant: str) -> Boards:
        pipeline = self._redis.pipeline()
        self._ask_boards(pipeline, tenant)
        return _boards(iter(await execute(pipeline)))

    def _ask_boards(self, pipeline: Any, tenant: str) -> None:
        for key in (
            keys.board(tenant, "trending"),
            keys.board(tenant, "popular"),
            keys.shoppers(tenant, self._today()),
        ):
            pipeline.zrevrange(key, 0, _READ - 1, withscores=True)
        pipeline.get(keys.board(tenant, "clock"))


def _newer(profile: bytes | None, revision: int) -> ProfileUpdated | None:
    """The profile, unless it is the one at hand: reading all of it costs more than the rest of the answer."""
    if profile is None or (revision and _REVISION.decode(profile).revision <= revision):
        return None
    return ProfileUpdated.model_validate_json(profile)


def _ties(raw: bytes | None) -> list[Tie]:
    return _WIRE_TIES.decode(raw) if raw else []


def _boards(answers: Any) -> Boards:
    trending, popular, shoppers = (_scores(next(answers)) for _ in range(3))
    clock = next(answers)
    today = {product_id: int(count) for product_id, count in shoppers}
    return Boards(trending, popular, today, int(float(clock)) if clock else 0)


def _scores(pairs: Sequence[tuple[bytes, float]]) -> list[tuple[str, float]]:
    return [(member.decode(), float(score)) for member, score in pairs]
