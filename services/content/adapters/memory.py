"""The content service's memories in Redis. Any of them may be lost: what matters is rebuilt from Kafka."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from rapport.events.content import ContentPublished
from rapport.vectors import keys
from rapport.vectors.connection import RedisConnection, translated

# Texts remembered for one set of products, kind, channel and language: enough for the variants of the last few briefs.
_RECENT = 20


class RedisPublished:
    """Copy by request. Lost: the copy is written again."""

    def __init__(self, redis: RedisConnection, keep_s: int) -> None:
        self._redis, self._keep_s = redis, keep_s

    async def get(self, tenant: str, request_id: str) -> ContentPublished | None:
        with translated():
            stored = await self._redis.client.get(keys.document(tenant, "content", request_id))
        return ContentPublished.model_validate_json(stored) if stored else None

    async def put(self, tenant: str, content: ContentPublished) -> None:
        with translated():
            key = keys.document(tenant, "content", content.request_id)
            await self._redis.client.set(key, content.to_json(), ex=self._keep_s)


class RedisRecent:
    """Recent texts. Lost: the next text may repeat one."""

    def __init__(self, redis: RedisConnection, keep_s: int) -> None:
        self._redis, self._keep_s = redis, keep_s

    async def texts(self, tenant: str, key: str) -> tuple[str, ...]:
        with translated():
            stored = await self._redis.client.lrange(_hashed(tenant, "recent-copy", key), 0, _RECENT - 1)
        return tuple(_text(each) for each in stored)

    async def add(self, tenant: str, key: str, texts: Sequence[str]) -> None:
        place = _hashed(tenant, "recent-copy", key)
        with translated():
            pipeline = self._redis.client.pipeline(transaction=False)
            pipeline.lpush(place, *texts)
            pipeline.ltrim(place, 0, _RECENT - 1)
            pipeline.expire(place, self._keep_s)
            await pipeline.execute()


class RedisLines:
    """Recommendation lines. Lost: they are written again."""

    def __init__(self, redis: RedisConnection, keep_s: int) -> None:
        self._redis, self._keep_s = redis, keep_s

    async def get_many(self, tenant: str, keys_: Sequence[str]) -> list[str | None]:
        if not keys_:
            return []
        with translated():
            pipeline = self._redis.client.pipeline(transaction=False)
            for key in keys_:
                pipeline.get(keys.document(tenant, "line", key))
            stored = await pipeline.execute()
        return [_text(each) if each else None for each in stored]

    async def put(self, tenant: str, key: str, text: str) -> None:
        with translated():
            await self._redis.client.set(keys.document(tenant, "line", key), text, ex=self._keep_s)


class RedisArms:
    """Bandits' variations by customer. Lost: given back as exposures.v1 is read again, at the next start."""

    def __init__(self, redis: RedisConnection, keep_s: int) -> None:
        self._redis, self._keep_s = redis, keep_s

    async def keep(self, tenant: str, arms: Mapping[tuple[str, str], str]) -> list[str]:
        with translated():
            pipeline = self._redis.client.pipeline(transaction=False)
            for (experiment_id, customer_id), variation in arms.items():
                place = _hashed(tenant, "arm", f"{experiment_id}\0{customer_id}")
                pipeline.set(place, variation, ex=self._keep_s, nx=True)
                pipeline.get(place)
            answers = await pipeline.execute()
        return [_text(each) for each in answers[1::2]]


class RedisDecisions:
    """The first decision on a draft. Lost: content.drafts.v1 still says what was decided."""

    def __init__(self, redis: RedisConnection, keep_s: int) -> None:
        self._redis, self._keep_s = redis, keep_s

    async def decide(self, tenant: str, content_id: str, decision: str) -> str:
        place = _hashed(tenant, "review", content_id)
        with translated():
            pipeline = self._redis.client.pipeline(transaction=False)
            pipeline.set(place, decision, ex=self._keep_s, nx=True)
            pipeline.get(place)
            answers = await pipeline.execute()
        return _text(answers[1])


def _hashed(tenant: str, kind: str, key: str) -> str:
    return keys.document(tenant, kind, hashlib.sha256(key.encode()).hexdigest()[:32])


def _text(stored: Any) -> str:
    return stored.decode() if isinstance(stored, bytes) else str(stored)
