"""grpc.health.v1 and reflection, as a load balancer and grpcurl see them."""

from __future__ import annotations

import asyncio

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from rapport.ops.parts import Health
from rapport.ops.settings import GrpcSettings
from rapport.serving.server import GrpcServer
from rapport.serving.worker import ENCODER, GENERATOR
from tests.unit.serving.servicers import Encoder, Generator, servicing


async def test_health_follows_what_each_service_says() -> None:
    ready = {"is": False}
    server = GrpcServer(
        "test-server",
        GrpcSettings(),
        servicing(Encoder(), Generator()),
        health={ENCODER: lambda: Health(ready=ready["is"])},
    )
    await server.start()
    serving, not_serving = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
    async with grpc.aio.insecure_channel(server.address) as raw:
        stub = health_pb2_grpc.HealthStub(raw)

        async def check(service: str) -> int:
            return int((await stub.Check(health_pb2.HealthCheckRequest(service=service))).status)

        assert [await check(name) for name in (ENCODER, GENERATOR, "")] == [not_serving, serving, not_serving]
        watching = stub.Watch(health_pb2.HealthCheckRequest(service=ENCODER))
        assert (await watching.read()).status == not_serving
        ready["is"] = True
        async with asyncio.timeout(20):
            assert (await watching.read()).status == serving
        assert await check("") == serving
        with pytest.raises(grpc.aio.AioRpcError, match="no such service"):
            await check("nothing")
        stopping = asyncio.create_task(server.stop())
        async with asyncio.timeout(20):
            assert (await watching.read()).status == not_serving
        await stopping


async def test_reflection_names_the_services() -> None:
    server = GrpcServer("test-server", GrpcSettings(), servicing(Encoder(), Generator()))
    await server.start()
    async with grpc.aio.insecure_channel(server.address) as raw:
        call = reflection_pb2_grpc.ServerReflectionStub(raw).ServerReflectionInfo()
        await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
        answer = await call.read()
        await call.done_writing()
    names = {service.name for service in answer.list_services_response.service}
    assert {ENCODER, GENERATOR, "grpc.health.v1.Health"} <= names
    await server.stop()
