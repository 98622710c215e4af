"""Documents and vectors of a request, in one round trip."""

from __future__ import annotations

import numpy as np
import pytest

from rapport.ops.errors import InvalidRequest
from rapport.testing import MemoryKeyValues
from rapport.vectors.keys import Space
from rapport.vectors.serving_copy import ServingCopy

SPACE = Space("e5", "1")


async def test_a_profile_and_its_need_vectors_are_written_and_read_in_one_round_trip_each() -> None:
    key_values = MemoryKeyValues()
    profiler, recommender = ServingCopy(key_values), ServingCopy(key_values)
    needs = np.eye(3, 4, dtype=np.float32)
    await profiler.put("default", {"profile": {"c1": b"{}"}}, {"need": {"c1": needs}}, SPACE)
    assert key_values.round_trips == 1
    await recommender.get("default", {}, {"need": ["c1"]})  # learns the live space

    before = key_values.round_trips
    found = await recommender.get("default", {"profile": ["c1", "c2"], "product": ["p1"]}, {"need": ["c1"]})
    assert key_values.round_trips - before == 1
    assert found.documents == {"profile": {"c1": b"{}"}, "product": {}}
    assert found.embeddings["need"].space == SPACE
    assert (found.embeddings["need"].vectors["c1"] == needs).all()


async def test_vectors_without_a_space_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="space"):
        await ServingCopy(MemoryKeyValues()).put("default", {}, {"need": {"c1": np.ones(2, np.float32)}})


async def test_deleting_leaves_nothing_of_the_customer() -> None:
    copy = ServingCopy(MemoryKeyValues())
    vectors = {"need": {"c1": np.ones(2, np.float32)}}
    await copy.put("default", {"profile": {"c1": b"1", "c2": b"2"}}, vectors, SPACE)
    await copy.delete("default", {"profile": ["c1"]}, {"need": ["c1"]})
    found = await copy.get("default", {"profile": ["c1", "c2"]}, {"need": ["c1"]})
    assert found.documents == {"profile": {"c2": b"2"}}
    assert found.embeddings["need"].vectors == {}


async def test_a_scan_gives_every_document_of_its_kind_once() -> None:
    copy = ServingCopy(MemoryKeyValues())
    given = {f"p:{number}": str(number).encode() for number in range(8)}
    await copy.put("default", {"product": given, "product2": {"x": b"x"}})
    found = [pair async for page in copy.scan("default", "product") for pair in page.items()]
    assert sorted(found) == sorted(given.items())
