"""A real Kafka and a real Redis for a test run: free ports, a folder of their own, gone at the end.

with EmbeddedServers() as servers:
    ...  # servers.bootstrap_servers, servers.redis_url
    servers.kill_broker()
    servers.start_broker()
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from deploy.local.child import Child
from deploy.local.jars import kafka_jars
from deploy.local.java import find_java
from deploy.local.kafka_server import KafkaServer
from deploy.local.ports import free_ports
from deploy.local.redis_server import RedisServer
from deploy.local.settings import cache_folder

READY_S = 60.0
# Enough for tests, and little enough for several test runs side by side on one machine.
HEAP_MB = 384


class EmbeddedServers:
    """Kafka and Redis while the `with` block runs. Safe to use from any thread, beside a running event loop or not."""

    def __init__(self, state: Path | None = None, *, progress: Callable[[str], None] = lambda _: None) -> None:
        """`state`: where the servers keep their data; none: a temporary folder that is removed at the end."""
        self._progress, self._state = progress, state
        self._stack = ExitStack()
        self._broker: Child | None = None
        self._redis: Child | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            scratch = tempfile.TemporaryDirectory(prefix="rapport-servers-", ignore_cleanup_errors=True)
            folder = self._state or Path(stack.enter_context(scratch))
            folder.mkdir(parents=True, exist_ok=True)
            broker, controller, redis = free_ports(3)
            java = find_java()
            jars = kafka_jars(cache_folder(), java, self._progress)
            self._kafka_server = KafkaServer(java, jars, folder / "kafka", broker, controller, HEAP_MB)
            self._redis_server = RedisServer(folder / "redis", redis)
            self._logs = folder
            stack.callback(self.stop_broker)
            stack.callback(self.stop_redis)
            self.start_redis()
            self.start_broker()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def bootstrap_servers(self) -> str:
        """host:port of the broker; the same after a stop and a start."""
        return self._kafka_server.address

    @property
    def redis_url(self) -> str:
        """redis://host:port/0; the same after a stop and a start."""
        return self._redis_server.url

    def start_broker(self) -> None:
        """Start Kafka on its port and data, and return when it answers. Nothing happens if it runs."""
        if self._broker is None:
            self._kafka_server.prepare()
            self._broker = Child("kafka", self._kafka_server.command(), self._logs / "kafka.log")
            self._broker.wait_ready(self._kafka_server.ready, READY_S)

    def stop_broker(self) -> None:
        """End Kafka in order, as for an upgrade."""
        if self._broker is not None:
            self._broker.stop()
            self._broker = None

    def kill_broker(self) -> None:
        """End Kafka as a crash would."""
        if self._broker is not None:
            self._broker.kill()
            self._broker = None

    def start_redis(self) -> None:
        """Start Redis on its port and data, and return when it answers. Nothing happens if it runs."""
        if self._redis is None:
            self._redis_server.prepare()
            self._redis = Child("redis", self._redis_server.command(), self._logs / "redis.log")
            self._redis.wait_ready(self._redis_server.ready, READY_S)

    def stop_redis(self) -> None:
        """End Redis in order; its data is on disk."""
        if self._redis is not None:
            self._redis.stop()
            self._redis = None

    def kill_redis(self) -> None:
        """End Redis as a crash would: up to a second of writes may be lost."""
        if self._redis is not None:
            self._redis.kill()
            self._redis = None
