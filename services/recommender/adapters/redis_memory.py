"""What answers are made from, read from Redis in one round trip."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, reduce
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
# Customers of one script: Redis answers nobody else meanwhile, some half a millisecond.
_AT_ONCE = 64
# How old the boards may be that an answer is made with. They are read for all customers, and parsing them takes longer
# than all that is read of one customer.
_BOARDS_FOR_S = 0.25

# Products whose ties stay decoded, some 16 kB each: what is looked at now, most shoppers of the moment look at.
_TIES_DECODED = 512

Looked = tuple[Sequence[str], Mapping[str, Sequence[Tie]], Reactions]
_WIRE_TIES = msgspec.msgpack.Decoder(list[Tie])


class _Revision(msgspec.Struct):
    """The one field of a profile that says whether the rest is worth reading."""

    revision: int


_REVISION = msgspec.json.Decoder(_Revision)


class RedisMemory:
    """`Memory` on the connection that the process shares. `today` gives the ISO date in the shop's time zone."""

    def __init__(self, redis: RedisConnection, today: Callable[[], str]) -> None:
        self._redis, self._today = redis, today
        self._boards: dict[str, tuple[float, Boards]] = {}

    async def recall(
        self, tenant: str, customers: Mapping[str, Known], space: str | None
    ) -> tuple[dict[str, Recollection], Boards]:
        pipeline = self._redis.pipeline()
        wanted = Space.parse(space) if space else None
        documents = [document(tenant, kind, customer) for customer in customers for kind in (_PROFILE, WISHES)]
        documents += [embedding(tenant, _NEED, wanted, customer) for customer in customers] if wanted else []
        reads = self._redis.queue_reads(pipeline, documents)
        scripts = _ask_counts(pipeline, tenant, customers)
        boards = self._boards_at_hand(tenant)
        if boards is None:
            self._ask_boards(pipeline, tenant)
        answers = iter(await execute(pipeline))
        found = reads(answers)
        vectors = found[2 * len(customers) :] or [None] * len(customers)
        counts = [looked for _ in range(scripts) for looked in _counts(next(answers))]
        many = len(customers)
        profiles, wishes = found[0 : 2 * many : 2], found[1 : 2 * many : 2]
        known = {
            customer: _recollection(_newer(profile, at_hand.revision), _usable(wish, space), needs, looked)
            for (customer, at_hand), profile, wish, needs, looked in zip(
                customers.items(), profiles, wishes, vectors, counts, strict=True
            )
        }
        return known, boards or self._keep_boards(tenant, answers)

    async def tied(self, tenant: str, product_id: str) -> tuple[Sequence[Tie], Boards]:
        pipeline = self._redis.pipeline()
        pipeline.get(keys.co_visits(tenant, product_id))
        self._ask_boards(pipeline, tenant)
        answers = iter(await execute(pipeline))
        return _ties(next(answers)), _boards(answers)

    async def boards(self, tenant: str) -> Boards:
        pipeline = self._redis.pipeline()
        self._ask_boards(pipeline, tenant)
        return self._keep_boards(tenant, iter(await execute(pipeline)))

    def _boards_at_hand(self, tenant: str) -> Boards | None:
        read_at, boards = self._boards.get(tenant, (0.0, None))
        return boards if time.monotonic() - read_at < _BOARDS_FOR_S else None

    def _keep_boards(self, tenant: str, answers: Any) -> Boards:
        boards = _boards(answers)
        self._boards[tenant] = time.monotonic(), boards
        return boards

    def _ask_boards(self, pipeline: Any, tenant: str) -> None:
        for key in (
            keys.board(tenant, "trending"),
            keys.board(tenant, "popular"),
            keys.shoppers(tenant, self._today()),
        ):
            pipeline.zrevrange(key, 0, _READ - 1, withscores=True)
        pipeline.get(keys.board(tenant, "clock"))


def _ask_counts(pipeline: Any, tenant: str, customers: Mapping[str, Known]) -> int:
    """What lies on the tenant's node, by a script for several customers; how many scripts."""
    begins = [keys.counting_prefix(tenant, kind) for kind in ("co-visits", "trail", "reactions")]
    people = list(customers.items())
    parts = [people[begin : begin + _AT_ONCE] for begin in range(0, len(people), _AT_ONCE)]
    for part in parts:
        names = [name(tenant, customer) for customer, _ in part for name in (keys.trail, keys.reactions, keys.merged)]
        looked = [each for _, known in part for each in (len(known.recent), *known.recent)]
        pipeline.execute_command("EVAL", RECALL, len(names), *names, *begins, _FOLLOWED, *looked)
    return len(parts)


def _counts(answer: Any) -> list[Looked]:
    """By customer: products, the ties of those that have any, and reactions."""
    followed, reactions, raw, ties = answer
    products: list[str] = [product.decode() for product in raw]
    decoded: list[Sequence[Tie]] = [_ties(each) for each in ties]
    found: list[Looked] = []
    for numbers, documents in zip(followed, reactions, strict=True):
        seeds = [products[number - 1] for number in numbers]
        tied: dict[str, Sequence[Tie]] = {
            products[number - 1]: decoded[number - 1] for number in numbers if decoded[number - 1]
        }
        found.append((seeds, tied, reduce(Reactions.merged, map(Reactions.decode, documents))))
    return found


def _recollection(
    profile: ProfileUpdated | None, wishes: Wishes | None, vectors: bytes | None, counts: Looked
) -> Recollection:
    recent, ties, reactions = counts
    return Recollection(
        profile=profile,
        need_vectors=unpack(vectors) if vectors else None,
        recent=recent,
        ties=ties,
        reactions=reactions,
        wishes=wishes.texts if wishes else (),
        wish_vectors=unpack(wishes.vectors) if wishes else None,
    )


def _usable(raw: bytes | None, space: str | None) -> Wishes | None:
    """The wishes, when their vectors are of the space that is searched."""
    wishes = Wishes.decode(raw) if raw else None
    return wishes if wishes and wishes.space == space else None


def _newer(profile: bytes | None, revision: int) -> ProfileUpdated | None:
    """The profile, unless it is the one at hand: reading all of it costs more than the rest of the answer."""
    if profile is None or (revision and _REVISION.decode(profile).revision <= revision):
        return None
    return ProfileUpdated.model_validate_json(profile)


@lru_cache(maxsize=_TIES_DECODED)
def _ties(raw: bytes | None) -> Sequence[Tie]:
    return _WIRE_TIES.decode(raw) if raw else ()


def _boards(answers: Any) -> Boards:
    trending, popular, shoppers = (_scores(next(answers)) for _ in range(3))
    clock = next(answers)
    today = {product_id: int(count) for product_id, count in shoppers}
    return Boards(trending, popular, today, int(float(clock)) if clock else 0)


def _scores(pairs: Sequence[tuple[bytes, float]]) -> list[tuple[str, float]]:
    return [(member.decode(), float(score)) for member, score in pairs]
