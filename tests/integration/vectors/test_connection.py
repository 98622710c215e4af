"""What a service sees when Redis is away, silent or full."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest
from pydantic import SecretStr

from rapport.ops.errors import ConfigurationError, OverloadedError, StateConflict, UnavailableError
from rapport.ops.settings import RedisSettings
from rapport.testing import random_name
from rapport.vectors.connection import RedisConnection, translated
from tests.integration.vectors.conftest import OwnRedis


@pytest.fixture
async def connection(own_redis: OwnRedis) -> AsyncIterator[RedisConnection]:
    """Patient: a busy machine takes seconds to open a hundred connections."""
    connection = RedisConnection(own_redis.settings(timeout_s=20))
    await connection.start()
    yield connection
    await connection.stop()
    await connection.stop()


async def _until(met: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not met():  # noqa: ASYNC110 - health is asked for, it does not call
            await asyncio.sleep(0.05)


async def test_away_and_back_again(connection: RedisConnection, own_redis: OwnRedis) -> None:
    key = random_name("back")
    await asyncio.gather(*(connection.write({f"{key}:{number}": b"x"}) for number in range(100)))

    own_redis.stop()
    try:
        with pytest.raises(UnavailableError, match="redis"):
            await connection.read([key])
        await _until(lambda: not connection.health().ready)
        assert connection.health().live, "a restart of ours would not bring Redis back"
        assert "Connect call failed" in connection.health().detail
    finally:
        own_redis.start()
    await _until(lambda: connection.health().ready)
    assert await asyncio.gather(*(connection.read([f"{key}:{number}"]) for number in range(100))) == [[b"x"]] * 100


async def test_silence_costs_the_timeout_and_no_more(own_redis: OwnRedis) -> None:
    connection = RedisConnection(own_redis.settings(timeout_s=2))
    await connection.start()
    await connection.read(["warm"])
    own_redis.freeze()
    began = time.monotonic()
    try:
        with pytest.raises(UnavailableError):
            await connection.read(["x"])
    finally:
        own_redis.thaw()
        await connection.stop()
    assert time.monotonic() - began < 15, "it waited for more than its timeout"


async def test_a_full_server_and_a_wrong_type_are_told_apart(connection: RedisConnection) -> None:
    key = random_name("kinds")
    await connection.write({}, members={key: b"x"})
    with pytest.raises(StateConflict, match="WRONGTYPE"), translated():
        await connection.client.execute_command("GET", key)
    await connection.client.config_set("maxmemory", "1")
    try:
        with pytest.raises(OverloadedError, match="maxmemory"):
            await connection.write({key + ":big": b"x" * 100})
    finally:
        await connection.client.config_set("maxmemory", "0")


async def test_a_malformed_address_names_its_setting() -> None:
    for url in ("http://127.0.0.1", "127.0.0.1:6379", "redis://127.0.0.1:port"):
        with pytest.raises(ConfigurationError, match="RAPPORT_REDIS__URL"):
            await RedisConnection(RedisSettings(url=SecretStr(url))).start()


async def test_a_process_may_start_before_redis() -> None:
    connection = RedisConnection(RedisSettings(url=SecretStr("redis://127.0.0.1:1/0")))
    with pytest.raises(UnavailableError, match="not started"):
        await connection.read(["x"])
    await connection.start()
    assert (connection.health().live, connection.health().ready) == (True, False)
    await connection.stop()
