"""The profiler and its worker (without weights) as processes of their own, on the shared broker and Redis."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from deploy.local.ports import free_ports
from deploy.local.servers import EmbeddedServers
from rapport.contracts.profiler.v1 import profile_service_pb2 as wire
from rapport.contracts.profiler.v1.profile_service_pb2_grpc import ProfileServiceStub
from rapport.ops.settings import KafkaSettings, RedisSettings
from rapport.testing import random_name

ROOT = Path(__file__).resolve().parents[3]
# A database of the shared Redis that these tests may empty.
_DATABASE = 7


class Process:
    """A process that can be killed and started again on the same ports."""

    def __init__(self, module: str, environment: dict[str, str], log: Path) -> None:
        self.module, self._environment, self._log = module, environment, log
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", self.module]
            own = os.environ | self._environment | {"PYTHONPATH": f"{ROOT}:{ROOT / 'shared'}"}
            self._running = subprocess.Popen(command, cwd=ROOT, env=own, stdout=log, stderr=log)

    @property
    def pid(self) -> int:
        assert self._running is not None
        return self._running.pid

    def kill(self) -> None:
        """As a crash would."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """As an orchestrator would; the exit code."""
        return self._end(signal.SIGTERM)

    def ready(self) -> bool:
        url = f"http://127.0.0.1:{self._environment['RAPPORT_OPS__PORT']}/health/ready"
        assert self._running is None or self._running.poll() is None, self._log.read_text()[-3000:]
        try:
            return httpx.get(url, timeout=1).status_code == 200
        except httpx.HTTPError:
            return False

    def _end(self, number: int) -> int:
        running, self._running = self._running, None
        if running is None:
            return 0
        running.send_signal(number)
        return running.wait(20)


class Deployment:
    """Where everything is, and the two processes."""

    def __init__(self, servers: EmbeddedServers, logs: Path, **more: str) -> None:
        """`more`: settings of both processes."""
        api, ops, worker, worker_ops = free_ports(4)
        prefix = random_name("t") + "."
        brokers = servers.bootstrap_servers
        self.kafka = KafkaSettings(bootstrap_servers=brokers, topic_prefix=prefix, group_prefix=prefix)
        self.redis_url = servers.redis_url.rsplit("/", 1)[0] + f"/{_DATABASE}"
        self.redis = RedisSettings.model_validate({"url": self.redis_url})
        self.address, self.worker_address = f"127.0.0.1:{api}", f"127.0.0.1:{worker}"
        self.tenant = random_name("shop")
        common = {
            "RAPPORT_TENANT": self.tenant,
            "RAPPORT_KAFKA__BOOTSTRAP_SERVERS": brokers,
            "RAPPORT_KAFKA__TOPIC_PREFIX": prefix,
            "RAPPORT_KAFKA__GROUP_PREFIX": prefix,
            "RAPPORT_KAFKA__SESSION_TIMEOUT_S": "6",
            "RAPPORT_REDIS__URL": self.redis_url,
            "RAPPORT_PROFILER__COPY_CHECK_S": "0.5",
        }
        own = {"GRPC__PORT": api, "OPS__PORT": ops, "WORKER__ADDRESS": self.worker_address}
        models = {"WORKER__PORT": worker, "OPS__PORT": worker_ops, "WORKER__BACKEND": "dummy"}
        self.profiler = Process("services.profiler", common | _named(own) | more, logs / "profiler.log")
        self.worker = Process("services.profiler.worker", common | _named(models) | more, logs / "worker.log")

    def profile(self, customer: str) -> wire.Profile:
        """Raises `grpc.RpcError`."""
        with grpc.insecure_channel(self.address) as channel:
            request = wire.GetProfileRequest(customer_id=customer)
            answer: wire.GetProfileResponse = ProfileServiceStub(channel).GetProfile(request, timeout=5)
            return answer.profile

    def event_count(self, customer: str) -> int:
        """0 for nobody."""
        try:
            return self.profile(customer).event_count
        except grpc.RpcError:
            return 0


def until(true: Callable[[], bool], within_s: float, what: str) -> None:
    """Polls; fails with `what` when it takes too long."""
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        time.sleep(0.05)


def _named(values: dict[str, Any]) -> dict[str, str]:
    return {f"RAPPORT_{name}": str(value) for name, value in values.items()}


@pytest.fixture
def deployment(servers: EmbeddedServers, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """Both processes, ready. A test may ask for settings by indirect parameters."""
    made = Deployment(servers, tmp_path, **getattr(request, "param", {}))
    yield from running(made)


def running(made: Deployment) -> Iterator[Deployment]:
    """`made`, from when both processes are ready."""
    made.worker.start()
    made.profiler.start()
    try:
        until(lambda: made.worker.ready() and made.profiler.ready(), 120, "both processes ready")
        yield made
    finally:
        made.profiler.kill()
        made.worker.kill()
