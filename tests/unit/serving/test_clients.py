"""What the clients add to the RPCs: splitting, joining, unit rows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from rapport.contracts.worker.v1 import common_pb2, encoder_pb2
from rapport.contracts.worker.v1.encoder_pb2_grpc import EncoderServicer, add_EncoderServicer_to_server
from rapport.ops.errors import UnavailableError
from rapport.ops.settings import GrpcSettings
from rapport.serving.client import EncoderClient, Piece, WorkerChannel, collect
from rapport.serving.encoder_client import _calls
from rapport.serving.server import GrpcServer
from rapport.serving.tensors import to_tensor
from rapport.serving.worker import ENCODER


class Counting(EncoderServicer):
    """The first component of a row tells the text's length."""

    def __init__(self) -> None:
        self.calls: list[int] = []
        self.changes = False

    async def Embed(self, request: encoder_pb2.EmbedRequest, context: Any) -> encoder_pb2.EmbedResponse:
        self.calls.append(len(request.texts))
        rows = np.array([[len(text), 100.0] for text in request.texts])
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        revision = str(len(self.calls)) if self.changes else "1"
        return encoder_pb2.EmbedResponse(
            vectors=to_tensor(rows, request.dtype), model=common_pb2.ModelRef(id="m", revision=revision)
        )


@pytest.fixture
def servicer() -> Counting:
    return Counting()


@pytest.fixture
async def client(servicer: Counting) -> AsyncIterator[EncoderClient]:
    server = GrpcServer("test", GrpcSettings(), [(add_EncoderServicer_to_server, servicer, ENCODER)])
    await server.start()
    channel = WorkerChannel(server.address, 5)
    await channel.start()
    yield EncoderClient(channel, max_texts=10)
    await channel.stop()
    await server.stop()


async def test_a_long_list_takes_several_calls_and_keeps_its_order(client: EncoderClient, servicer: Counting) -> None:
    embedded = await client.embed(["x" * length for length in range(1, 36)])
    assert servicer.calls == [10, 10, 10, 5]
    assert embedded.model == "m@1"
    assert embedded.vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(embedded.vectors, axis=1), 1, atol=1e-6)
    lengths = 100 * embedded.vectors[:, 0] / embedded.vectors[:, 1]
    assert np.allclose(lengths, np.arange(1, 36), atol=0.2)


async def test_vectors_of_two_encoders_never_stand_in_one_answer(client: EncoderClient, servicer: Counting) -> None:
    servicer.changes = True
    with pytest.raises(UnavailableError, match="changed"):
        await client.embed(["x"] * 11)


def test_large_texts_are_parted_by_bytes() -> None:
    texts = ["字" * 100, "b" * 100, "c" * 500, "d"]
    assert list(_calls(texts, 10, 400)) == [texts[:2], texts[2:3], texts[3:]]


async def pieces(*found: Piece) -> AsyncIterator[Piece]:
    for piece in found:
        yield piece


async def test_a_collected_text_is_whole() -> None:
    last = Piece("!", "stop", "m@1", 5, 3, 12.5)
    whole = await collect(pieces(Piece("hel"), Piece("lo"), last))
    assert whole == Piece("hello!", "stop", "m@1", 5, 3, 12.5)


async def test_a_text_that_breaks_off_is_not_taken_for_whole() -> None:
    with pytest.raises(UnavailableError):
        await collect(pieces(Piece("hel"), Piece("lo")))
