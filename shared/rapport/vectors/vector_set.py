"""Search by a Redis 8 vector set: approximate (HNSW), shared by all processes, and kept over a restart of ours.

Commands are sent as they are: redis-py 8.1's own `vset()` fails on the answer for a key that does not exist, and
installs its parsers on the client that others share.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from rapport.ops.errors import InvalidRequest
from rapport.vectors import keys
from rapport.vectors.connection import RedisConnection, execute, translated
from rapport.vectors.keys import Space
from rapport.vectors.packing import Array, Float32
from rapport.vectors.search import Allowed, Hit, Hits, permits, positive, ranked, unit_rows

Quantisation = Literal["Q8", "NOQUANT", "BIN"]

# Candidates that HNSW keeps while searching, at least: below some 200, recall of the best 10 falls under 0.95.
_MIN_EFFORT = 200
# Beyond this many candidates the walk costs more than looking at every vector, which is also exact.
_LOOK_AT_ALL = 1000


class VectorSetIndex:
    """A `SearchIndex` in one Redis key. Scores carry the quantisation's error: about 0.01 with Q8."""

    def __init__(
        self, connection: RedisConnection, tenant: str, kind: str, space: Space, quantisation: Quantisation = "Q8"
    ) -> None:
        """Q8: a byte a number; NOQUANT: four; BIN: a bit, for a first cut only. Fixed once the set exists."""
        self._connection, self._quantisation = connection, quantisation
        self._key = keys.index(tenant, kind, space)
        self._dimensions: int | None = None

    async def upsert(self, ids: Sequence[str], vectors: Array) -> None:
        rows = unit_rows(vectors, self._dimensions, "vectors")
        if len(ids) != len(rows):
            raise InvalidRequest(f"{len(ids)} ids for {len(rows)} vectors", field="ids")
        pipeline = self._connection.pipeline()
        for id_, row in zip(ids, rows, strict=True):
            pipeline.execute_command("VADD", self._key, "FP32", _bytes(row), id_, self._quantisation)
        await execute(pipeline)
        self._dimensions = rows.shape[1]

    async def remove(self, ids: Sequence[str]) -> None:
        pipeline = self._connection.pipeline()
        for id_ in ids:
            pipeline.execute_command("VREM", self._key, id_)
        await execute(pipeline)

    async def search(self, query: Array, limit: int, allowed: Allowed | None = None) -> Hits:
        return (await self.search_many(np.asarray(query)[None], limit, allowed))[0]

    async def search_many(self, queries: Array, limit: int, allowed: Allowed | None = None) -> list[Hits]:
        """With `allowed`, asks for more until enough are found: cheap while most ids are allowed."""
        rows = unit_rows(queries, self._dimensions, "query")
        found: list[list[Hit]] = [[] for _ in rows]
        open_, take = list(range(len(rows))), positive(limit)
        while open_:
            pipeline = self._connection.pipeline()
            for number in open_:
                pipeline.execute_command("VSIM", self._key, *_question(rows[number], take))
            still = []
            for number, answer in zip(open_, await execute(pipeline), strict=True):
                scored = _hits(answer)
                found[number] = [hit for hit in scored if permits(allowed, hit.id)]
                if len(found[number]) < limit and len(scored) >= take:
                    still.append(number)
            open_, take = still, take * 4
        return [Hits.of(ranked(hits, limit)) for hits in found]

    async def get(self, ids: Sequence[str]) -> dict[str, Float32]:
        pipeline = self._connection.pipeline()
        for id_ in ids:
            pipeline.execute_command("VEMB", self._key, id_)
        found = zip(ids, await execute(pipeline), strict=True)
        return {id_: np.array([float(number) for number in answer], np.float32) for id_, answer in found if answer}

    async def size(self) -> int:
        with translated():
            return int(await self._connection.client.execute_command("VCARD", self._key))


def _question(row: Float32, take: int) -> list[Any]:
    effort = ["TRUTH"] if take > _LOOK_AT_ALL else ["EF", max(_MIN_EFFORT, 2 * take)]
    return ["FP32", _bytes(row), "WITHSCORES", "COUNT", take, *effort]


def _bytes(row: Float32) -> bytes:
    return row.astype("<f4").tobytes()


def _hits(answer: Any) -> list[Hit]:
    """RESP3 answers with a map, RESP2 with a flat list; the score is (1 + cosine) / 2."""
    pairs = answer.items() if isinstance(answer, dict) else zip(answer[::2], answer[1::2], strict=True)
    return [Hit(id_.decode(), 2 * float(score) - 1) for id_, score in pairs]
