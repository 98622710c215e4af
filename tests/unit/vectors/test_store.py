"""Embeddings: one round trip a read, and never two encoders in one answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from rapport.ops.errors import StateConflict, UnavailableError
from rapport.testing import MemoryKeyValues
from rapport.vectors import keys
from rapport.vectors.keys import Space
from rapport.vectors.packing import Float32
from rapport.vectors.store import EmbeddingStore

OLD, NEW = Space("e5", "1"), Space("e5", "2")


def _vector(*numbers: float) -> Float32:
    return np.array(numbers, np.float32)


async def test_what_was_put_is_found_and_the_rest_left_out() -> None:
    store = EmbeddingStore(MemoryKeyValues())
    await store.put_many("default", "item", OLD, {"p1": _vector(1, 0), "p:2": _vector(0, 1)})
    found = await store.get_many("default", "item", ["p:2", "p3", "p1"])
    assert found.space == OLD
    assert {id_: vector.tolist() for id_, vector in found.vectors.items()} == {"p:2": [0, 1], "p1": [1, 0]}
    assert (await store.get_many("other", "item", ["p1"])).vectors == {}


async def test_nothing_stored_yet_is_an_empty_answer() -> None:
    found = await EmbeddingStore(MemoryKeyValues()).get_many("default", "item", ["p1"])
    assert (found.space, found.vectors) == (None, {})


async def test_a_read_is_one_round_trip_but_for_the_first_and_the_one_after_a_switch() -> None:
    key_values = MemoryKeyValues()
    writer, reader = EmbeddingStore(key_values), EmbeddingStore(key_values)
    await writer.put_many("default", "item", OLD, {"p1": _vector(1)})
    await writer.put_many("default", "item", NEW, {"p1": _vector(2)})

    async def trips() -> tuple[float, int]:
        before = key_values.round_trips
        found = await reader.get_many("default", "item", ["p1"])
        return float(found.vectors["p1"][0]), key_values.round_trips - before

    assert [await trips(), await trips()] == [(1.0, 2), (1.0, 1)]
    await writer.switch("default", "item", NEW)
    assert [await trips(), await trips()] == [(2.0, 2), (2.0, 1)]


async def test_a_half_filled_space_changes_nothing_for_readers() -> None:
    store = EmbeddingStore(MemoryKeyValues())
    await store.put_many("default", "item", OLD, {"p1": _vector(1), "p2": _vector(1)})
    await store.put_many("default", "item", NEW, {"p1": _vector(2)})
    found = await store.get_many("default", "item", ["p1", "p2"])
    assert found.space == OLD
    assert set(found.vectors) == {"p1", "p2"}


class _Switching(MemoryKeyValues):
    """Another process switches the alias between this reader's round trips."""

    async def read(self, asked: Sequence[str]) -> list[bytes | None]:
        answer = await super().read(asked)
        now = OLD if self.round_trips % 2 else NEW
        return [str(now).encode() if "emb-alias" in key else value for key, value in zip(asked, answer, strict=True)]


async def test_an_alias_that_never_rests_is_an_error_not_a_mixture() -> None:
    with pytest.raises(UnavailableError, match="keeps changing"):
        await EmbeddingStore(_Switching()).get_many("default", "item", ["p1"])


async def test_switching_needs_a_filled_space_and_dropping_one_that_nobody_reads() -> None:
    store = EmbeddingStore(MemoryKeyValues())
    await store.put_many("default", "item", OLD, {f"p{number}": _vector(1) for number in range(7)})
    with pytest.raises(StateConflict, match="fill it first"):
        await store.switch("default", "item", NEW)
    await store.put_many("default", "item", NEW, {"p1": _vector(2)})
    await store.put_many("other", "item", OLD, {"p1": _vector(3)})
    with pytest.raises(StateConflict, match="switch first"):
        await store.drop("default", "item", OLD)
    await store.switch("default", "item", NEW)
    assert await store.drop("default", "item", OLD) == 7
    assert await store.spaces("default", "item") == {NEW}
    assert set((await store.get_many("default", "item", ["p1", "p2"])).vectors) == {"p1"}
    assert set((await store.get_many("other", "item", ["p1"])).vectors) == {"p1"}, "another tenant's is kept"


async def test_deleting_reaches_every_space() -> None:
    key_values = MemoryKeyValues()
    store = EmbeddingStore(key_values)
    await store.put_many("default", "item", OLD, {"p1": _vector(1), "p2": _vector(1)})
    await store.put_many("default", "item", NEW, {"p1": _vector(2)})
    await store.delete("default", "item", ["p1"])
    left = await key_values.read([keys.embedding("default", "item", space, "p1") for space in (OLD, NEW)])
    assert left == [None, None]
    assert set((await store.get_many("default", "item", ["p1", "p2"])).vectors) == {"p2"}


async def test_a_scan_gives_every_vector_of_its_space_once() -> None:
    store = EmbeddingStore(MemoryKeyValues())
    given = {f"p:{number}": _vector(number, 1) for number in range(10)}
    await store.put_many("default", "item", OLD, given)
    await store.put_many("default", "item", NEW, {"q": _vector(9, 9)})
    found = {
        id_: row.tolist()
        async for ids, rows in store.scan("default", "item", OLD)
        for id_, row in zip(ids, rows, strict=True)
    }
    assert found == {id_: vector.tolist() for id_, vector in given.items()}
