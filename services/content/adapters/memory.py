"""`Published` and `LineCache` in Redis. Both may be lost: the copy is then written again."""

from __future__ import annotations

import hashlib

from rapport.events.content import ContentPublished
from rapport.vectors import keys
from rapport.vectors.connection import RedisConnection, translated


class RedisPublished:
    """Copy by request."""

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


class RedisLines:
    """Recommendation lines; the long keys are hashed."""

    def __init__(self, redis: RedisConnection, keep_s: int) -> None:
        self._redis, self._keep_s = redis, keep_s

    async def get(self, tenant: str, key: str) -> str | None:
        with translated():
            stored = await self._redis.client.get(_line(tenant, key))
        return stored.decode() if isinstance(stored, bytes) else stored

    async def put(self, tenant: str, key: str, text: str) -> None:
        with translated():
            await self._redis.client.set(_line(tenant, key), text, ex=self._keep_s)


def _line(tenant: str, key: str) -> str:
    return keys.document(tenant, "line", hashlib.sha256(key.encode()).hexdigest()[:32])
