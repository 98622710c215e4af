"""Answers that were given, in Redis until they expire: written in the background, a batch at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog

from rapport.ops.errors import RetryableError
from rapport.ops.metrics import counter
from rapport.ops.parts import Health
from rapport.ops.tasks import Background
from rapport.vectors.connection import RedisConnection, execute
from rapport.vectors.keys import document
from services.recommender.domain.served import Served

log = structlog.stdlib.get_logger(__name__)

_KIND = "served"
# Answers that wait to be written. Beyond it the oldest are dropped: no call may wait for what only training needs.
_MOST_WAITING = 5000
# Answers of one write, and how long the first of them waits for others. A shopper sees an answer much later than that.
_BATCH, _LINGER_S = 200, 0.05


class RedisServedLog(Background):
    """`ServedLog`, as a part. What is not written when the process ends is not trained on."""

    name = "served-log"

    def __init__(self, redis: RedisConnection, kept_s: float) -> None:
        self._redis, self._kept_s = redis, max(1, int(kept_s))
        self._waiting: dict[tuple[str, str], Served] = {}
        self._more = asyncio.Event()
        self._dropped = counter("recommender_served_dropped", "Answers that are not kept for training")

    def note(self, tenant: str, answer: Served) -> None:
        self._waiting[tenant, answer.recommendation_id] = answer
        while len(self._waiting) > _MOST_WAITING:
            del self._waiting[next(iter(self._waiting))]
            self._dropped.inc()
        self._more.set()

    async def find(self, tenant: str, recommendation_ids: Sequence[str]) -> Mapping[str, Served]:
        pipeline = self._redis.pipeline()
        for recommendation_id in recommendation_ids:
            pipeline.get(document(tenant, _KIND, recommendation_id))
        found = await execute(pipeline)
        stored = {id_: Served.decode(data) for id_, data in zip(recommendation_ids, found, strict=True) if data}
        waiting = {id_: self._waiting[tenant, id_] for id_ in recommendation_ids if (tenant, id_) in self._waiting}
        return stored | waiting

    def health(self) -> Health:
        return replace(super().health(), detail=f"{len(self._waiting)} wait")

    async def _run(self) -> None:
        while True:
            await self._more.wait()
            await asyncio.sleep(_LINGER_S)
            self._more.clear()
            batch = dict(list(self._waiting.items())[:_BATCH])
            try:
                await self._write(batch)
            except RetryableError as error:
                log.debug("answers wait to be kept", error=str(error))
                await asyncio.sleep(1.0)
                self._more.set()
                continue
            for key, answer in batch.items():
                if self._waiting.get(key) is answer:
                    del self._waiting[key]
            if self._waiting:
                self._more.set()

    async def _write(self, batch: Mapping[tuple[str, str], Served]) -> None:
        pipeline = self._redis.pipeline()
        for (tenant, recommendation_id), answer in batch.items():
            pipeline.set(document(tenant, _KIND, recommendation_id), answer.encode(), ex=self._kept_s)
        await execute(pipeline)
