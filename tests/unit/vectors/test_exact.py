"""Exact search agrees with the plain definition through any history of changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.vectors.exact import ExactIndex
from rapport.vectors.packing import Float32

_VECTORS = np.random.default_rng(7).standard_normal((40, 8)).astype(np.float32)
_change = st.tuples(
    st.booleans(), st.lists(st.integers(0, 19), min_size=1, max_size=6, unique=True), st.integers(0, 20)
)


def _cosine(one: Float32, other: Float32) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


@settings(max_examples=50)
@given(st.lists(_change, max_size=12), st.integers(1, 25))
async def test_any_history_of_changes_leaves_the_right_answer(
    changes: list[tuple[bool, list[int], int]], limit: int
) -> None:
    index, held = ExactIndex(), dict[str, Float32]()
    for adds, numbers, shift in changes:
        ids = [f"p{number}" for number in numbers]
        if adds:
            vectors = _VECTORS[[number + shift for number in numbers]]
            await index.upsert(ids, vectors)
            held |= dict(zip(ids, vectors, strict=True))
        else:
            await index.remove(ids)
            held = {id_: vector for id_, vector in held.items() if id_ not in ids}
    assert await index.size() == len(held)
    query = _VECTORS[-1] + 0.1
    hits = await index.search(query, limit)
    best = sorted((_cosine(vector, query) for vector in held.values()), reverse=True)[:limit]
    assert [hit.score for hit in hits] == pytest.approx(best, abs=1e-5)
    assert [_cosine(held[hit.id], query) for hit in hits] == pytest.approx(best, abs=1e-5)
    assert len({hit.id for hit in hits}) == len(hits)


async def test_it_grows_past_its_first_size() -> None:
    vectors = np.random.default_rng(3).standard_normal((3000, 16)).astype(np.float32)
    index = ExactIndex()
    for begin in range(0, 3000, 500):
        await index.upsert([str(number) for number in range(begin, begin + 500)], vectors[begin : begin + 500])
    hits = await index.search_many(vectors[[5, 2999]], 1)
    assert [best[0].id for best in hits] == ["5", "2999"]


async def test_an_id_given_twice_keeps_its_last_vector() -> None:
    index = ExactIndex()
    await index.upsert(["a", "a"], np.eye(2, dtype=np.float32))
    assert await index.size() == 1
    assert (await index.search(np.array([0, 1], np.float32), 1))[0].score > 0.99
