"""The connection to Redis, single or cluster, as a part; and the one place where its errors become ours."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import redis.asyncio as aio
import redis.exceptions as failures
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from rapport.ops.errors import ConfigurationError, OverloadedError, RapportError, StateConflict, UnavailableError
from rapport.ops.parts import Health
from rapport.ops.settings import RedisSettings
from rapport.ops.tasks import end, uncut

Client = aio.Redis | aio.RedisCluster

# Connections a process may hold; more calls wait for one. Redis's own default limit is 10,000 for all processes.
_MAX_CONNECTIONS = 64
# Seconds between looks at the server for `health`.
_LOOK_EVERY_S = 2.0
# Keys a SCAN step looks at: enough to keep steps few, few enough not to hold the server up (about a millisecond).
_SCAN_STEP = 1000
_GLOB = re.compile(r"([*?\[\]\\^])")


class RedisConnection:
    """A part that others share, and the real `KeyValues`. Not ready while Redis does not answer; never not live,
    since restarting this process would not bring Redis back."""

    name = "redis"

    def __init__(self, settings: RedisSettings) -> None:
        self._settings = settings
        self._client: Client | None = None
        self._looking: asyncio.Task[None] | None = None
        self._health = Health(ready=False, detail="not connected")

    @property
    def client(self) -> Client:
        """For commands that the port lacks; wrap their use in `translated()`."""
        if self._client is None:
            raise UnavailableError("redis: the connection is not started")
        return self._client

    async def start(self) -> None:
        """Does not wait for Redis: readiness follows it. Raises `ConfigurationError` for a malformed address."""
        if self._client is None:
            self._client = _connect(self._settings)
            await self._look()
            self._looking = asyncio.create_task(self._keep_looking(), name="redis-health")

    async def stop(self) -> None:
        looking, self._looking = self._looking, None
        await end(looking)
        client, self._client = self._client, None
        self._health = Health(ready=False, detail="stopped")
        if client is not None:
            await uncut(client.aclose())

    def health(self) -> Health:
        return self._health

    async def read(self, keys: Sequence[str]) -> list[bytes | None]:
        if not keys:
            return []
        client = self.client
        with translated():
            if isinstance(client, aio.Redis):
                return cast("list[bytes | None]", await client.mget(list(keys)))  # answers are not decoded
            pipeline = client.pipeline()
            for key in keys:
                pipeline.get(key)
            return await pipeline.execute()

    def queue_reads(self, pipeline: Any, keys: Sequence[str]) -> Callable[[Iterator[Any]], list[bytes | None]]:
        """Adds reads of `keys` to a pipeline: one command where one server has them all. What is returned takes their
        values from the pipeline's answers."""
        if not keys:
            return lambda _: []
        if isinstance(self.client, aio.Redis):
            pipeline.mget(list(keys))
            return next
        for key in keys:
            pipeline.get(key)
        return lambda answers: [next(answers) for _ in keys]

    async def write(
        self,
        values: Mapping[str, bytes],
        *,
        if_absent: Mapping[str, bytes] | None = None,
        members: Mapping[str, bytes] | None = None,
    ) -> None:
        pipeline = self.pipeline()
        if values and not isinstance(self.client, aio.RedisCluster):
            # A fifth of the time that a SET for each takes, here and there.
            pipeline.mset(dict(values))
        else:
            for key, value in values.items():
                pipeline.set(key, value)
        for key, value in (if_absent or {}).items():
            pipeline.set(key, value, nx=True)
        for key, member in (members or {}).items():
            pipeline.sadd(key, member)
        await execute(pipeline)

    async def delete(self, keys: Sequence[str]) -> int:
        pipeline = self.pipeline()
        for key in keys:
            pipeline.execute_command("UNLINK", key)  # a cluster pipeline's own unlink() queues nothing
        return sum(await execute(pipeline))

    async def members(self, key: str) -> set[bytes]:
        with translated():
            return cast("set[bytes]", set(await self.client.smembers(key)))

    async def discard(self, key: str, member: bytes) -> None:
        with translated():
            await self.client.srem(key, member)

    async def scan(self, prefix: str) -> AsyncIterator[list[str]]:
        seen: set[str] = set()  # SCAN may give a key twice while the server rehashes
        page: list[str] = []
        with translated():
            async for raw in self.client.scan_iter(match=_GLOB.sub(r"\\\1", prefix) + "*", count=_SCAN_STEP):
                key = raw.decode()
                if key not in seen:
                    seen.add(key)
                    page.append(key)
                if len(page) == _SCAN_STEP:
                    yield page
                    page = []
        if page:
            yield page

    def pipeline(self) -> Any:
        """Commands for one round trip (one a node on a cluster); send them by `execute`."""
        client = self.client
        return client.pipeline(transaction=False) if isinstance(client, aio.Redis) else client.pipeline()

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            await self._look()

    async def _look(self) -> None:
        try:
            with translated():
                await self.client.ping()
        except RapportError as error:
            self._health = Health(ready=False, detail=str(error))
        else:
            self._health = Health()


async def execute(pipeline: Any) -> list[Any]:
    """Sends a pipeline's commands and gives their answers. An empty one costs nothing."""
    if not len(pipeline):
        return []
    with translated():
        answers: list[Any] = await pipeline.execute()
        return answers


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Redis's errors as ours."""
    try:
        yield
    except failures.OutOfMemoryError as error:
        raise OverloadedError(f"redis: {error}", fix="raise its maxmemory") from error
    except (failures.AuthenticationError, failures.NoPermissionError) as error:
        raise ConfigurationError(f"redis refuses us: {error}", field="RAPPORT_REDIS__URL") from error
    except (failures.ReadOnlyError, failures.TryAgainError) as error:
        raise UnavailableError(f"redis: {error}") from error
    except (failures.ResponseError, failures.DataError) as error:
        raise StateConflict(f"redis: {error}") from error
    except (failures.RedisError, failures.RedisClusterException, OSError) as error:
        raise UnavailableError(f"redis: {error or type(error).__name__}") from error


def _connect(settings: RedisSettings) -> Client:
    url = settings.url.get_secret_value()
    options: dict[str, Any] = {
        "socket_timeout": settings.timeout_s,
        "socket_connect_timeout": settings.timeout_s,
        "max_connections": _MAX_CONNECTIONS,
        # One more try on a connection that the server had closed. A timeout is not tried again: it has cost its time.
        "retry": Retry(NoBackoff(), 1, supported_errors=(failures.ConnectionError,)),
    }
    try:
        if settings.cluster:
            return aio.RedisCluster.from_url(url, **options)
        pool = aio.BlockingConnectionPool.from_url(url, timeout=settings.timeout_s, **options)
        return aio.Redis.from_pool(pool)  # closes the pool with itself
    except ValueError as error:
        raise ConfigurationError(str(error), field="RAPPORT_REDIS__URL", fix="redis://host:port/0") from error
