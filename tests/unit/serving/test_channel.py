"""A peer that is down, comes back, or is still loading."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from rapport.contracts.worker.v1 import encoder_pb2
from rapport.contracts.worker.v1.encoder_pb2_grpc import EncoderServicer, EncoderStub, add_EncoderServicer_to_server
from rapport.ops.errors import DeadlineError, UnavailableError
from rapport.ops.settings import GrpcSettings
from rapport.serving.channel import PeerChannel
from rapport.serving.deadline import deadline_in
from rapport.serving.server import GrpcServer
from rapport.serving.worker import ENCODER


class Loading(EncoderServicer):
    def __init__(self, refusals: int) -> None:
        self.refusals = refusals

    async def Embed(self, request: encoder_pb2.EmbedRequest, context: Any) -> encoder_pb2.EmbedResponse:
        if self.refusals:
            self.refusals -= 1
            raise UnavailableError("still loading")
        return encoder_pb2.EmbedResponse()


def serving(servicer: EncoderServicer, port: int = 0) -> GrpcServer:
    listen = GrpcSettings(port=port, drain_s=0)
    return GrpcServer("test-server", listen, [(add_EncoderServicer_to_server, servicer, ENCODER)])


async def embed(channel: PeerChannel, timeout_s: float = 5) -> None:
    await channel.call(channel.stub(EncoderStub).Embed, encoder_pb2.EmbedRequest(), timeout_s=timeout_s)


async def test_a_peer_that_loads_is_asked_again() -> None:
    servicer = Loading(refusals=3)
    server = serving(servicer)
    await server.start()
    channel = PeerChannel("peer", server.address, 5)
    await channel.start()
    await embed(channel)
    assert servicer.refusals == 0
    await channel.stop()
    await server.stop()


async def test_a_peer_that_is_down_is_unavailable_within_the_deadline() -> None:
    server = serving(Loading(0))
    await server.start()
    address = server.address
    await server.stop()
    channel = PeerChannel("peer", address, 5)
    await channel.start()
    began = time.monotonic()
    with pytest.raises(UnavailableError, match="peer"):
        await embed(channel, timeout_s=2)
    assert time.monotonic() - began < 10, "it waited for more than its deadline"
    await channel.stop()


@pytest.mark.parametrize("wait_for_ready", [False, True])
async def test_a_peer_that_comes_back_is_found_without_a_restart(wait_for_ready: bool) -> None:
    server = serving(Loading(0))
    await server.start()
    channel = PeerChannel("peer", server.address, 10, wait_for_ready=wait_for_ready)
    await channel.start()
    await embed(channel)
    await server.stop()
    again = serving(Loading(0), server.port)
    call = asyncio.create_task(embed(channel, timeout_s=10))
    await asyncio.sleep(0.3)
    assert not call.done()
    await again.start()
    await call
    await channel.stop()
    await again.stop()


async def test_no_time_left_means_no_call() -> None:
    channel = PeerChannel("peer", "127.0.0.1:1", 5)
    await channel.start()
    with deadline_in(0), pytest.raises(DeadlineError):
        await embed(channel)
    await channel.stop()


async def test_a_channel_that_is_not_open_says_so() -> None:
    channel = PeerChannel("peer", "127.0.0.1:1", 5)
    assert not channel.health().ready
    with pytest.raises(UnavailableError, match="not open"):
        channel.stub(EncoderStub)
    await channel.start()
    assert channel.health().ready
    await channel.stop()
    await channel.stop()
