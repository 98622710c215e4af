"""What the language model wrote that each customer would want next, with the vectors of the lines."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rapport.vectors.connection import RedisConnection, execute
from rapport.vectors.keys import document
from rapport.vectors.packing import pack
from services.recommender.ports import Vectors

WISHES = "wishes"
# A wish is about now: after a week without a new one it says nothing any more.
_EXPIRE_S = 7 * 86_400


class Wishes(msgspec.Struct, array_like=True, frozen=True):
    """As stored."""

    space: str
    texts: tuple[str, ...]
    vectors: bytes
    """Packed, [texts, d]."""

    @classmethod
    def decode(cls, data: bytes) -> Wishes:
        return _DECODER.decode(data)


_DECODER = msgspec.msgpack.Decoder(Wishes)


class RedisWishes:
    """`WishStore`: one document a customer."""

    def __init__(self, redis: RedisConnection) -> None:
        self._redis = redis

    async def keep(self, tenant: str, customer_id: str, space: str, texts: Sequence[str], vectors: Vectors) -> None:
        body = msgspec.msgpack.encode(Wishes(space, tuple(texts), pack(vectors)))
        pipeline = self._redis.pipeline()
        pipeline.set(document(tenant, WISHES, customer_id), body, ex=_EXPIRE_S)
        await execute(pipeline)

    async def forget(self, tenant: str, customers: Sequence[str]) -> None:
        if customers:
            pipeline = self._redis.pipeline()
            for customer_id in customers:
                pipeline.delete(document(tenant, WISHES, customer_id))
            await execute(pipeline)
