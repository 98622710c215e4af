"""`Reader.Extract`: a question and passages in, the words that answer out; and the promoted model behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

from rapport.contracts.worker.v1 import reader_pb2 as wire
from rapport.contracts.worker.v1.reader_pb2_grpc import ReaderServicer
from rapport.models.ports import SequenceBackend
from rapport.models.spans import Pair, answers
from rapport.models.versions import Version
from rapport.ops.errors import InvalidRequest, ModelError
from rapport.ops.settings import WorkerSettings
from rapport.serving.device_thread import DeviceThread
from rapport.serving.encoder_service import usage_of
from rapport.serving.limits import TextLimits
from rapport.serving.loading import warming
from rapport.serving.promoted_host import PromotedHost
from rapport.serving.vocabulary import priority_of, wire_model
from services.chatbot.training.answer_names import KIND
from services.chatbot.worker.dummy_reader import DummyReader

READER = wire.DESCRIPTOR.services_by_name["Reader"].full_name


class SpanBackend(SequenceBackend, Protocol):
    """Sequences are windows, rows what was `Found` in each."""

    def windows(self, question: str, passage: str) -> list[Pair]:
        """The sequences that the passage is read in."""


class ReaderHost(PromotedHost[SpanBackend]):
    """The promoted reader; without one answers are quoted whole."""

    def __init__(self, settings: WorkerSettings, device: DeviceThread) -> None:
        super().__init__("reader", settings, device, self._open, fix="./rapport train answers FILE --promote")

    async def _open(self, version: Version) -> SpanBackend:
        backend = await asyncio.to_thread(self._read, version)
        for step in warming(backend, ()):
            await self._device.run(step)
        return backend

    def _read(self, version: Version) -> SpanBackend:
        if version.kind != KIND:
            raise ModelError(f"{version} is of kind {version.kind}, not {KIND}")
        if self._settings.backend == "dummy":
            return DummyReader(version.version)
        from rapport.models.torch_reader import TorchReader

        return TorchReader.open(version.folder, str(version), self._settings.device, self._settings.threads)


class ExtractService(ReaderServicer):
    """The best span of each passage, the likeliest first."""

    def __init__(self, host: ReaderHost, limits: TextLimits) -> None:
        self._host, self._limits = host, limits

    async def Extract(self, request: wire.ExtractRequest, context: Any) -> wire.ExtractResponse:
        """Raises `InvalidRequest` naming the field, `UnavailableError` while none is promoted, and what `Batcher.run`
        raises.
        """
        if not request.question.strip():
            raise InvalidRequest("empty", field="question", fix="say what is asked")
        self._limits.check([request.question])
        self._limits.check(request.passages)
        backend, batcher = self._host.engine
        windows = await asyncio.to_thread(_cut, backend, request.question, request.passages)
        answer = await batcher.run_cut([pair.ids for _, pair in windows], priority_of(request.priority))
        spans = [
            wire.Span(
                passage=found.passage,
                start=found.start,
                end=found.end,
                text=request.passages[found.passage][found.start : found.end],
                score=found.probability,
            )
            for found in answers(windows, answer.rows)
        ]
        return wire.ExtractResponse(spans=spans, model=wire_model(backend.model), usage=usage_of(answer))


def _cut(backend: SpanBackend, question: str, passages: Sequence[str]) -> list[tuple[int, Pair]]:
    """The windows of all passages, each with its passage's number."""
    return [(at, pair) for at, passage in enumerate(passages) for pair in backend.windows(question, passage)]
