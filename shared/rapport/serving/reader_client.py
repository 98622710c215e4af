"""Asking a model worker which words of passages answer a question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapport.contracts.worker.v1.reader_pb2 import ExtractRequest
from rapport.contracts.worker.v1.reader_pb2_grpc import ReaderStub
from rapport.serving.channel import PeerChannel
from rapport.serving.vocabulary import Priority, model_name, wire_priority


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to before `end` of passage number `passage`. `model`: "id@revision"."""

    passage: int
    start: int
    end: int
    probability: float
    model: str


class ReaderClient:
    """`Reader.Extract` of the worker behind `channel`."""

    def __init__(self, channel: PeerChannel) -> None:
        self._channel = channel

    async def extract(
        self,
        question: str,
        passages: Sequence[str],
        *,
        priority: Priority = Priority.INTERACTIVE,
        timeout_s: float | None = None,
    ) -> list[Span]:
        """The best span of each of `passages`, the likeliest first; that none answers has the rest of the probability.

        Raises as `EncoderClient.embed`; `UnavailableError` also while no reader is promoted.
        """
        request = ExtractRequest(question=question, passages=passages, priority=wire_priority(priority))
        answer = await self._channel.call(self._channel.stub(ReaderStub).Extract, request, timeout_s=timeout_s)
        model = model_name(answer.model)
        return [Span(one.passage, one.start, one.end, one.score, model) for one in answer.spans]
