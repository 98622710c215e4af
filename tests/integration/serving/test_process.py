"""A model worker as a process: alive at once, ready when its model is warm, gone cleanly."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from rapport.ops.errors import UnavailableError
from rapport.serving.client import EncoderClient, WorkerChannel
from rapport.serving.worker import ENCODER
from tests.unit.serving.waiting import until

ROOT = Path(__file__).resolve().parents[3]
READY_S = 90.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def worker(
    cache: Path,
    module: str = "services.recommender.worker",
    more: Mapping[str, str] = MappingProxyType({}),
    address: str = "",
) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """The process, its gRPC address and its ops page. `more`: further variables; `address`: of one that is gone."""
    port, ops = int(address.rpartition(":")[2]) if address else free_port(), free_port()
    told = {
        "RAPPORT_MODELS__CACHE": str(cache),
        "RAPPORT_MODELS__FOLLOW": "false",
        "RAPPORT_WORKER__PORT": str(port),
        "RAPPORT_OPS__PORT": str(ops),
        **more,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env=os.environ | told,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process, f"127.0.0.1:{port}", f"http://127.0.0.1:{ops}"
    finally:
        process.kill()
        process.communicate()


def page(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


async def health(address: str) -> int:
    async with grpc.aio.insecure_channel(address) as raw:
        answer = await health_pb2_grpc.HealthStub(raw).Check(
            health_pb2.HealthCheckRequest(service=ENCODER), wait_for_ready=True, timeout=20
        )
    return int(answer.status)


async def test_from_alive_to_ready_to_gone(cache: Path) -> None:
    began = time.monotonic()
    with worker(cache) as (process, address, ops):
        channel = WorkerChannel(address, 5)
        await channel.start()
        await until(lambda: page(f"{ops}/health/live")[0] == 200, READY_S)
        assert page(f"{ops}/health/ready")[0] == 503
        assert await health(address) == health_pb2.HealthCheckResponse.NOT_SERVING
        with pytest.raises(UnavailableError, match="loading"):
            await EncoderClient(channel).embed(["too early"], timeout_s=2)
        await until(lambda: page(f"{ops}/health/ready")[0] == 200, READY_S)
        print(f"ready after {time.monotonic() - began:.1f} s")
        assert await health(address) == health_pb2.HealthCheckResponse.SERVING
        assert (await EncoderClient(channel).embed(["now"])).vectors.shape == (1, 384)
        figures = page(f"{ops}/metrics/")[1]
        assert 'rapport_inference_request_success_total{model="encoder"} 1.0' in figures
        await channel.stop()
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 15) == 0


async def test_a_missing_model_is_named_and_never_ready(tmp_path: Path) -> None:
    with worker(tmp_path / "empty") as (process, address, ops):
        await until(lambda: "not prepared" in page(f"{ops}/health/ready")[1], READY_S)
        status, said = page(f"{ops}/health/ready")
        assert status == 503
        assert str(tmp_path / "empty") in said
        assert "models prepare" in said
        assert page(f"{ops}/health/live")[0] == 200
        assert await health(address) == health_pb2.HealthCheckResponse.NOT_SERVING
        assert process.poll() is None
