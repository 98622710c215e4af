"""One backend as a worker serves it: behind the batcher, and behind gRPC on the loopback, in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from rapport.contracts.worker.v1.encoder_pb2_grpc import add_EncoderServicer_to_server
from rapport.models.ports import Role, SequenceBackend
from rapport.ops.settings import GrpcSettings
from rapport.serving.batching import Batcher
from rapport.serving.client import EncoderClient, WorkerChannel
from rapport.serving.device_thread import DeviceThread
from rapport.serving.encoder_service import EmbedService
from rapport.serving.encoding import EncodingEngine
from rapport.serving.limits import TextLimits
from rapport.serving.server import GrpcServer
from rapport.serving.vocabulary import Priority
from rapport.serving.worker import ENCODER

Ask = Callable[[str], Awaitable[object]]


class _Host:
    """One engine, as `EmbedService` wants its host."""

    def __init__(self, engine: EncodingEngine) -> None:
        self.engine = engine


@asynccontextmanager
async def served(backend: SequenceBackend) -> AsyncIterator[dict[str, Ask]]:
    """How to ask for one text's vector: "ours" within the process, "ours, grpc" through server and client."""
    device = DeviceThread("device")
    batcher = Batcher("encoder", backend, device, max_queue=512, max_batch_tokens=16_384)
    batcher.start()
    service = EmbedService(_Host(EncodingEngine(batcher, {})), TextLimits(64, 10**6))
    server = GrpcServer("bench", GrpcSettings(), [(add_EncoderServicer_to_server, service, ENCODER)])
    await server.start()
    channel = WorkerChannel(server.address, 120)
    await channel.start()
    client = EncoderClient(channel)
    yield {
        "ours": lambda text: batcher.run([text], Role.PASSAGE, Priority.INTERACTIVE),
        "ours, grpc": lambda text: client.embed([text]),
    }
    await channel.stop()
    await server.stop()
    await batcher.stop()
    device.close()
