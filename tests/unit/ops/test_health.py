"""The ops page, asked over HTTP."""

from __future__ import annotations

import socket

import httpx
import pytest

from rapport.ops.errors import ConfigurationError
from rapport.ops.health import ops_server
from rapport.ops.metrics import counter
from rapport.ops.parts import Health
from rapport.ops.settings import OpsSettings


async def test_the_page_tells_live_from_ready_and_names_each_part() -> None:
    report = {"bus": Health(), "redis": Health(ready=False, detail="connection refused")}
    server = ops_server(OpsSettings(), lambda: report)
    await server.start()
    try:
        async with httpx.AsyncClient(base_url=server.address) as client:
            live, ready = await client.get("/health/live"), await client.get("/health/ready")
            assert (live.status_code, ready.status_code) == (200, 503)
            assert ready.json()["parts"]["redis"] == {"live": True, "ready": False, "detail": "connection refused"}

            report["redis"] = Health()
            assert (await client.get("/health/ready")).json()["status"] == "ok"
            report["bus"] = Health(live=False, detail="stalled")
            assert (await client.get("/health/live")).status_code == 503
            assert (await client.get("/health/ready")).status_code == 503
    finally:
        await server.stop()
        await server.stop()
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"{server.address}/health/live")


async def test_metrics_carry_ours_and_the_process_s_own() -> None:
    counter("test_things", "Things that a test counted", ("kind",)).labels("good").inc(3)
    assert counter("test_things", "Things that a test counted", ("kind",)).labels("good") is not None
    server = ops_server(OpsSettings(), dict)
    await server.start()
    try:
        async with httpx.AsyncClient(base_url=server.address, follow_redirects=True) as client:
            text = (await client.get("/metrics")).text
    finally:
        await server.stop()
    assert 'rapport_test_things_total{kind="good"} 3.0' in text
    assert "process_resident_memory_bytes" in text


async def test_a_taken_port_is_named_with_the_setting_that_moves_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"RAPPORT_OPS__PORT: cannot listen on 127.0.0.1:{port}"):
            await ops_server(OpsSettings(port=port), dict).start()
