"""Servicers that a test can steer, over real gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from rapport.contracts.worker.v1 import encoder_pb2, generator_pb2
from rapport.contracts.worker.v1.encoder_pb2_grpc import EncoderServicer, add_EncoderServicer_to_server
from rapport.contracts.worker.v1.generator_pb2_grpc import GeneratorServicer, add_GeneratorServicer_to_server
from rapport.ops.errors import UnavailableError
from rapport.ops.tracing import current_trace_id
from rapport.serving.deadline import remaining
from rapport.serving.server import Servicing
from rapport.serving.worker import ENCODER, GENERATOR


class Encoder(EncoderServicer):
    def __init__(self) -> None:
        self.calls = 0
        self.seen: list[Any] = []
        self.ended = asyncio.Event()
        self.act: Callable[[], Any] = lambda: None

    async def Embed(self, request: encoder_pb2.EmbedRequest, context: Any) -> encoder_pb2.EmbedResponse:
        self.calls += 1
        self.seen += [current_trace_id(), remaining()]
        try:
            acted = self.act()
            if asyncio.iscoroutine(acted):
                await acted
        finally:
            self.ended.set()
        return encoder_pb2.EmbedResponse()


class Generator(GeneratorServicer):
    def __init__(self) -> None:
        self.closed = asyncio.Event()
        self.calls = 0
        self.fail_after: int | None = None

    async def Generate(
        self, request: generator_pb2.GenerateRequest, context: Any
    ) -> AsyncIterator[generator_pb2.GenerateResponse]:
        self.calls += 1
        try:
            for number in range(1000):
                if number == self.fail_after:
                    raise UnavailableError("gone")
                yield generator_pb2.GenerateResponse(text=f"{number} ")
                await asyncio.sleep(0.001)
        finally:
            self.closed.set()


def servicing(encoder: Encoder, generator: Generator) -> list[Servicing]:
    return [
        (add_EncoderServicer_to_server, encoder, ENCODER),
        (add_GeneratorServicer_to_server, generator, GENERATOR),
    ]
