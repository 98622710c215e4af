"""The search port: both adapters keep its contract."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import pytest

from rapport.ops.errors import InvalidRequest
from rapport.testing import random_name
from rapport.vectors.connection import RedisConnection
from rapport.vectors.exact import ExactIndex
from rapport.vectors.keys import Space
from rapport.vectors.packing import Float32
from rapport.vectors.search import SearchIndex
from rapport.vectors.vector_set import VectorSetIndex
from tests.integration.vectors.conftest import OwnRedis

# What Q8 may move a cosine by.
CLOSE = 0.02


@pytest.fixture(params=["exact", "vector_set"])
async def index(request: pytest.FixtureRequest, own_redis: OwnRedis) -> AsyncIterator[SearchIndex]:
    if request.param == "exact":
        yield ExactIndex()
        return
    connection = RedisConnection(own_redis.settings())
    await connection.start()
    yield VectorSetIndex(connection, random_name("shop"), "item", Space("e5", "1"))
    await connection.stop()


def _clusters(count: int, dimensions: int = 64) -> Float32:
    """Vectors around 20 centres, as products lie around categories."""
    random = np.random.default_rng(11)
    centres = random.standard_normal((20, dimensions))
    return (centres[np.arange(count) % 20] + 0.7 * random.standard_normal((count, dimensions))).astype(np.float32)


async def test_the_nearest_come_first_with_their_cosine(index: SearchIndex) -> None:
    await index.upsert(["x:1", "y", "xy", "鞋"], np.array([[2, 0], [0, 3], [1, 1], [-1, 0]], np.float32))
    hits = await index.search(np.array([5, 0], np.float32), 10)
    assert [hit.id for hit in hits] == ["x:1", "xy", "y", "鞋"]
    assert [hit.score for hit in hits] == pytest.approx([1, 0.7071, 0, -1], abs=CLOSE)
    assert await index.size() == 4


async def test_replaced_and_removed_vectors_are_gone(index: SearchIndex) -> None:
    await index.upsert(["a", "b", "c"], np.array([[1, 0], [1, 0.1], [0, 1]], np.float32))
    await index.upsert(["a"], np.array([[0, 1]], np.float16))
    await index.remove(["b", "never there"])
    hits = await index.search(np.array([1, 0], np.float32), 3)
    assert {hit.id for hit in hits} == {"a", "c"}
    assert max(hit.score for hit in hits) < CLOSE
    assert await index.size() == 2
    await index.upsert([], np.empty((0, 2), np.float32))
    await index.remove(["a", "c"])
    assert not await index.search(np.array([1, 0], np.float32), 3)


async def test_an_empty_index_finds_nothing(index: SearchIndex) -> None:
    assert not await index.search(np.ones(8, np.float32), 3)
    assert [*map(len, await index.search_many(np.ones((2, 8), np.float32), 3, allowed={"x"}))] == [0, 0]
    assert await index.size() == 0


async def test_recall_of_the_best_ten(index: SearchIndex) -> None:
    vectors, queries = _clusters(3000), _clusters(3020)[3000:]
    for begin in range(0, 3000, 500):
        await index.upsert([f"p{number}" for number in range(begin, begin + 500)], vectors[begin : begin + 500])
    exact = ExactIndex()
    await exact.upsert([f"p{number}" for number in range(3000)], vectors)
    right = [{hit.id for hit in hits} for hits in await exact.search_many(queries, 10)]
    found = [{hit.id for hit in hits} for hits in await index.search_many(queries, 10)]
    recall = np.mean([len(one & other) / 10 for one, other in zip(found, right, strict=True)])
    assert recall >= 0.95
    one_by_one = [{hit.id for hit in await index.search(query, 10)} for query in queries]
    assert one_by_one == found


@pytest.mark.parametrize("form", ["few", "most", "test"])
async def test_only_what_is_allowed_is_found_however_rare_it_is(index: SearchIndex, form: str) -> None:
    vectors = _clusters(2000)
    ids = [f"p{number}" for number in range(2000)]
    await index.upsert(ids, vectors)
    query = vectors[0]
    # p0's own cluster is left out in each form, so that the nearest are all forbidden.
    permitted = {"few": {"p1", "p401"}, "most": {id_ for id_ in ids if int(id_[1:]) % 20}, "test": set(ids[1::200])}[
        form
    ]
    allowed = permitted.__contains__ if form == "test" else permitted
    hits = await index.search(query, 5, allowed)
    scores = vectors @ query / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query)
    best = sorted((float(scores[int(id_[1:])]) for id_ in permitted), reverse=True)[:5]
    assert {hit.id for hit in hits} <= permitted
    assert [hit.score for hit in hits] == pytest.approx(best, abs=CLOSE)


async def test_unusable_vectors_are_refused_and_change_nothing(index: SearchIndex) -> None:
    await index.upsert(["a"], np.ones((1, 4), np.float32))
    for vectors in (np.ones((1, 5)), np.ones(4), np.full((1, 4), np.nan)):
        with pytest.raises(InvalidRequest, match="vectors"):
            await index.upsert(["b"], vectors)
    with pytest.raises(InvalidRequest, match="2 ids for 1 vectors"):
        await index.upsert(["b", "c"], np.ones((1, 4)))
    for query in (np.ones(5), np.full(4, np.inf)):
        with pytest.raises(InvalidRequest, match="query"):
            await index.search(query, 1)
    with pytest.raises(InvalidRequest, match="limit"):
        await index.search(np.ones(4), 0)
    assert await index.size() == 1


async def test_a_zero_vector_is_near_nothing(index: SearchIndex) -> None:
    await index.upsert(["zero", "one"], np.array([[0, 0], [1, 0]], np.float32))
    scores = {hit.id: hit.score for hit in await index.search(np.array([1, 0], np.float32), 2)}
    assert scores == pytest.approx({"one": 1, "zero": 0}, abs=CLOSE)


async def test_a_held_vector_is_given_back_at_unit_length(index: SearchIndex) -> None:
    await index.upsert(["x:1", "鞋"], np.array([[3, 4], [0, -2]], np.float32))
    found = await index.get(["鞋", "never there", "x:1"])
    assert list(found) == ["鞋", "x:1"]
    assert found["鞋"] == pytest.approx([0, -1], abs=CLOSE)
    assert found["x:1"] == pytest.approx([0.6, 0.8], abs=CLOSE)
    assert await index.get([]) == {}
