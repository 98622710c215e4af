"""The server and the channel against each other, over real loopback gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest

from rapport.contracts.worker.v1 import encoder_pb2, generator_pb2
from rapport.contracts.worker.v1.encoder_pb2_grpc import EncoderStub
from rapport.contracts.worker.v1.generator_pb2_grpc import (
    GeneratorStub,
)
from rapport.ops.errors import (
    ConfigurationError,
    DeadlineError,
    InvalidRequest,
    NotFound,
    OverloadedError,
    RapportError,
    StateConflict,
    UnavailableError,
)
from rapport.ops.settings import GrpcSettings
from rapport.ops.tracing import current_trace_id, span
from rapport.serving.channel import PeerChannel
from rapport.serving.server import GrpcServer
from tests.unit.serving.servicers import Encoder, Generator, servicing
from tests.unit.serving.waiting import until

Answer = Callable[[encoder_pb2.EmbedRequest], Any]


@pytest.fixture
def encoder() -> Encoder:
    return Encoder()


@pytest.fixture
def generator() -> Generator:
    return Generator()


@pytest.fixture
async def server(encoder: Encoder, generator: Generator) -> AsyncIterator[GrpcServer]:
    server = GrpcServer(
        "test-server",
        GrpcSettings(drain_s=1),
        servicing(encoder, generator),
    )
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def channel(server: GrpcServer) -> AsyncIterator[PeerChannel]:
    channel = PeerChannel("peer", server.address, 2.0)
    await channel.start()
    yield channel
    await channel.stop()


async def embed(channel: PeerChannel, **more: Any) -> encoder_pb2.EmbedResponse:
    return await channel.call(channel.stub(EncoderStub).Embed, encoder_pb2.EmbedRequest(), **more)


@pytest.mark.parametrize(
    "error",
    [
        InvalidRequest("empty", field="texts", fix="give one"),
        NotFound("no such task"),
        StateConflict("not now"),
        OverloadedError("full"),
        DeadlineError("too late"),
    ],
)
async def test_errors_of_the_tree_arrive_as_themselves(
    channel: PeerChannel, encoder: Encoder, error: RapportError
) -> None:
    def fail() -> None:
        raise error

    encoder.act = fail
    with pytest.raises(type(error)) as caught:
        await embed(channel)
    assert str(error) in str(caught.value)
    assert "peer" in str(caught.value)
    assert encoder.calls == 1


async def test_a_bug_is_internal_and_tells_no_secrets(server: GrpcServer, encoder: Encoder) -> None:
    def fail() -> None:
        raise KeyError("customer@example.org")

    encoder.act = fail
    async with grpc.aio.insecure_channel(server.address) as raw:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await EncoderStub(raw).Embed(encoder_pb2.EmbedRequest())
    assert caught.value.code() == grpc.StatusCode.INTERNAL
    assert "KeyError" in str(caught.value.details())
    assert "example.org" not in str(caught.value.details())


async def test_a_very_long_message_still_arrives(channel: PeerChannel, encoder: Encoder) -> None:
    def fail() -> None:
        raise InvalidRequest("长" * 20_000)

    encoder.act = fail
    with pytest.raises(InvalidRequest, match="长长长"):
        await embed(channel)


async def test_the_deadline_travels_and_cancels(channel: PeerChannel, encoder: Encoder) -> None:
    encoder.act = lambda: asyncio.sleep(30)
    with pytest.raises(DeadlineError):
        await embed(channel, timeout_s=2)
    async with asyncio.timeout(20):
        await encoder.ended.wait()
    assert 0 < encoder.seen[1] <= 2.1


async def test_a_caller_that_goes_away_cancels(channel: PeerChannel, encoder: Encoder) -> None:
    encoder.act = lambda: asyncio.sleep(30)
    call = asyncio.create_task(embed(channel))
    await until(lambda: encoder.calls)
    call.cancel()
    async with asyncio.timeout(20):
        await encoder.ended.wait()


async def test_the_trace_travels(channel: PeerChannel, encoder: Encoder) -> None:
    with span("caller"):
        here = current_trace_id()
        await embed(channel)
    assert encoder.seen[0] == here


async def test_leaving_a_stream_ends_it_on_the_server(channel: PeerChannel, generator: Generator) -> None:
    answers = channel.stream(channel.stub(GeneratorStub).Generate, generator_pb2.GenerateRequest())
    assert [(await anext(answers)).text for _ in range(3)] == ["0 ", "1 ", "2 "]
    await answers.aclose()
    async with asyncio.timeout(20):
        await generator.closed.wait()


async def test_a_stream_that_breaks_is_not_begun_again(channel: PeerChannel, generator: Generator) -> None:
    generator.fail_after = 2
    answers = channel.stream(channel.stub(GeneratorStub).Generate, generator_pb2.GenerateRequest())
    assert [(await anext(answers)).text for _ in range(2)] == ["0 ", "1 "]
    with pytest.raises(UnavailableError, match="gone"):
        await anext(answers)
    assert generator.calls == 1


async def test_a_port_that_is_taken_is_a_clear_error(server: GrpcServer) -> None:
    second = GrpcServer("second", GrpcSettings(port=server.port), [], setting="RAPPORT_GRPC__PORT")
    with pytest.raises(ConfigurationError) as caught:
        await second.start()
    assert caught.value.field == "RAPPORT_GRPC__PORT"
    assert str(server.port) in str(caught.value)


async def test_calls_under_way_may_finish_while_draining(
    server: GrpcServer, channel: PeerChannel, encoder: Encoder
) -> None:
    encoder.act = lambda: asyncio.sleep(0.3)
    call = asyncio.create_task(embed(channel))
    await until(lambda: encoder.calls)
    await server.stop()
    await call
    await server.stop()
    assert not server.health().ready
