"""The two-stage search finds what the exact one finds, through changes and filters."""

from __future__ import annotations

import numpy as np
import pytest

from rapport.vectors.exact import ExactIndex
from rapport.vectors.packing import Float32
from rapport.vectors.projected import LARGE, ProjectedIndex

COUNT, DIMENSIONS = LARGE + 500, 96


def _embeddings(dice: np.random.Generator, count: int) -> Float32:
    """Like an encoder's: kinds in a narrow cone, most of the variance in a part of the dimensions."""
    spread = 1.0 / (1.0 + np.arange(DIMENSIONS)) ** 0.7
    kinds = dice.standard_normal((40, DIMENSIONS)) * spread
    found = kinds[dice.integers(0, 40, count)] + 0.5 * dice.standard_normal((count, DIMENSIONS)) * spread + 0.3
    return found.astype(np.float32)


async def _filled() -> tuple[ProjectedIndex, ExactIndex, Float32]:
    dice = np.random.default_rng(2)
    vectors, index, exact = _embeddings(dice, COUNT), ProjectedIndex(), ExactIndex()
    ids = [f"p{number}" for number in range(COUNT)]
    for each in (index, exact):
        for begin in range(0, COUNT, 4000):
            await each.upsert(ids[begin : begin + 4000], vectors[begin : begin + 4000])
        await each.remove(ids[10:2000:7])
        await each.upsert(ids[40:60], vectors[140:160])
    return index, exact, _embeddings(dice, 40)


async def test_it_agrees_with_the_exact_search_after_changes() -> None:
    index, exact, queries = await _filled()
    assert await index.size() == await exact.size()
    found, right = await index.search_many(queries, 50), await exact.search_many(queries, 50)
    shares = [
        len({hit.id for hit in one} & {hit.id for hit in other}) / 50 for one, other in zip(found, right, strict=True)
    ]
    assert np.mean(shares) > 0.98
    for one, other in zip(found, right, strict=True):
        assert one[0].score == pytest.approx(other[0].score, abs=1e-5)
        scores = {hit.id: hit.score for hit in other}
        assert all(hit.score == pytest.approx(scores[hit.id], abs=1e-5) for hit in one if hit.id in scores)


async def test_a_filter_that_few_pass_is_answered_exactly() -> None:
    index, exact, queries = await _filled()

    def rare(id_: str) -> bool:
        return id_.endswith("777")

    for allowed in (rare, frozenset({"p777", "p1777", "gone"})):
        found, right = (
            await index.search_many(queries[:3], 10, allowed),
            await exact.search_many(queries[:3], 10, allowed),
        )
        assert [[hit.id for hit in hits] for hits in found] == [[hit.id for hit in hits] for hits in right]
        assert found[0]


async def test_what_was_removed_is_not_found() -> None:
    index, _, queries = await _filled()
    (first, *_), *_ = await index.search_many(queries[:1], 5)
    await index.remove([first.id])
    assert first.id not in {hit.id for hit in (await index.search_many(queries[:1], 5))[0]}


async def test_kinds_that_alternate_in_the_catalogue_are_all_found() -> None:
    """What is learned from every fourth product would know a quarter of four kinds that take turns."""
    dice = np.random.default_rng(4)
    kinds = 2 * dice.standard_normal((80, 384), np.float32)
    vectors = kinds[np.arange(2 * LARGE) % 80] + dice.standard_normal((2 * LARGE, 384), np.float32) + 3
    index = ProjectedIndex()
    await index.upsert([f"p{number}" for number in range(2 * LARGE)], vectors)
    for kind, hits in enumerate(await index.search_many(kinds + 3, 10)):
        assert {int(hit.id[1:]) % 80 for hit in hits} == {kind}
