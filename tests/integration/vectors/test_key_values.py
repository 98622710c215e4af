"""The fake, a single Redis and a Redis Cluster do the same."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import pytest

from rapport.ops.settings import RedisSettings
from rapport.testing import MemoryKeyValues, random_name
from rapport.vectors.connection import RedisConnection
from rapport.vectors.key_values import KeyValues
from rapport.vectors.keys import Space
from rapport.vectors.serving_copy import ServingCopy
from tests.integration.vectors.conftest import OwnRedis


@pytest.fixture(params=["memory", "single", "cluster"])
async def key_values(request: pytest.FixtureRequest) -> AsyncIterator[KeyValues]:
    if request.param == "memory":
        yield MemoryKeyValues()
        return
    settings: RedisSettings | OwnRedis = request.getfixturevalue(
        "cluster" if request.param == "cluster" else "own_redis"
    )
    connection = RedisConnection(settings.settings() if isinstance(settings, OwnRedis) else settings)
    await connection.start()
    assert connection.health().ready, connection.health()
    yield connection
    await connection.stop()


async def test_values_come_in_the_order_asked_for(key_values: KeyValues) -> None:
    name = random_name("order")
    await key_values.write({f"{name}:{number}": bytes([number]) for number in range(50)})
    asked = [f"{name}:{number}" for number in (49, 7, 99, 0, 7)]
    assert await key_values.read(asked) == [b"\x31", b"\x07", None, b"\x00", b"\x07"]


async def test_absent_keys_only_are_set_and_members_gathered(key_values: KeyValues) -> None:
    name = random_name("once")
    for value in (b"first", b"second"):
        await key_values.write({}, if_absent={f"{name}:alias": value}, members={f"{name}:set": value})
    assert await key_values.read([f"{name}:alias"]) == [b"first"]
    assert await key_values.members(f"{name}:set") == {b"first", b"second"}
    await key_values.discard(f"{name}:set", b"first")
    assert await key_values.members(f"{name}:set") == {b"second"}
    assert await key_values.members(f"{name}:none") == set()


async def test_deleting_counts_what_was_there(key_values: KeyValues) -> None:
    name = random_name("delete")
    await key_values.write({f"{name}:1": b"x", f"{name}:2": b""})
    assert await key_values.delete([f"{name}:1", f"{name}:2", f"{name}:3"]) == 2
    assert await key_values.read([f"{name}:1", f"{name}:2"]) == [None, None]


async def test_a_scan_finds_each_key_of_its_prefix_and_no_other(key_values: KeyValues) -> None:
    name = random_name("scan*[a]?\\")
    keys = {f"{name}:{number}" for number in range(2500)}
    await key_values.write(dict.fromkeys(keys, b"x") | {name.replace("*", "_") + ":1": b"x"})
    found = [key async for page in key_values.scan(f"{name}:") for key in page]
    assert len(found) == len(keys)
    assert set(found) == keys


async def test_asking_for_nothing_is_answered(key_values: KeyValues) -> None:
    assert await key_values.read([]) == []
    assert await key_values.delete([]) == 0
    await key_values.write({})
    assert [page async for page in key_values.scan(random_name("none"))] == []


async def test_a_serving_copy_works_on_all_of_them(key_values: KeyValues) -> None:
    tenant, space = random_name("shop"), Space("e5", "1")
    vectors = {f"p{number}": np.full(4, number, np.float32) for number in range(20)}
    profiles = {f"c{number}": str(number).encode() for number in range(20)}
    copy = ServingCopy(key_values)
    await copy.put(tenant, {"profile": profiles}, {"item": vectors}, space)
    found = await copy.get(tenant, {"profile": list(profiles)}, {"item": [*vectors, "p99"]})
    assert found.documents["profile"] == profiles
    assert {id_: vector[0] for id_, vector in found.embeddings["item"].vectors.items()} == {
        id_: vector[0] for id_, vector in vectors.items()
    }
