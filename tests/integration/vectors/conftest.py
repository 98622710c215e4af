"""A Redis of this folder's own: its tests stop it, and need no broker beside it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis
from pydantic import SecretStr

from deploy.local.child import Child
from deploy.local.ports import free_ports
from deploy.local.redis_server import RedisServer
from rapport.ops.settings import RedisSettings

NODES = 3


class OwnRedis:
    """One server that a test may end and start again on the same port."""

    def __init__(self, folder: Path, port: int, *options: str) -> None:
        self.server, self._folder, self._options = RedisServer(folder / "redis", port), folder, options
        self.start()

    def start(self) -> None:
        self.server.prepare()
        self._child = Child("redis", [*self.server.command(), *self._options], self._folder / "redis.log")
        self._child.wait_ready(self.server.ready, 20)

    def stop(self) -> None:
        self._child.stop()

    def freeze(self) -> None:
        """Connected, and silent: what an overloaded or swapping server looks like."""
        os.kill(self._child.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self._child.pid, signal.SIGCONT)

    def settings(self, *, cluster: bool = False, timeout_s: float = 2.0) -> RedisSettings:
        return RedisSettings(url=SecretStr(self.server.url), cluster=cluster, timeout_s=timeout_s)


@pytest.fixture(scope="session")
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnRedis]:
    server = OwnRedis(tmp_path_factory.mktemp("redis"), free_ports(1)[0])
    yield server
    server.stop()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisSettings]:
    """A Redis Cluster of three nodes, each with a third of the slots."""
    ports = free_ports(2 * NODES)
    with ExitStack() as stack:
        nodes = []
        for port, bus in zip(ports[:NODES], ports[NODES:], strict=True):
            folder = tmp_path_factory.mktemp(f"node-{port}")
            node = OwnRedis(folder, port, "--cluster-enabled", "yes", "--cluster-port", str(bus))
            stack.callback(node.stop)
            nodes.append(node)
        _join(ports)
        yield nodes[0].settings(cluster=True)


def _join(ports: list[int]) -> None:
    share = 16384 // NODES + 1
    with ExitStack() as stack:
        clients = [stack.enter_context(redis.Redis(port=port)) for port in ports[:NODES]]
        for number, client in enumerate(clients):
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", number * share, min(16383, (number + 1) * share - 1))
            client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            client.execute_command("CLUSTER", "MEET", "127.0.0.1", ports[0], ports[NODES])
        until(lambda: all(_formed(client) for client in clients), "the cluster did not form")


def _formed(client: Any) -> bool:  # redis-py leaves this command untyped
    info: dict[str, str] = client.execute_command("CLUSTER INFO")
    return info["cluster_state"] == "ok" and int(info["cluster_known_nodes"]) == NODES


def until(met: Callable[[], bool], what: str, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
