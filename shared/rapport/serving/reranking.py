"""`Reranker.Rerank`: query and passages in, one score a passage out; and the model behind it, as a part."""

from __future__ import annotations

from typing import Any

from rapport.contracts.worker.v1 import reranker_pb2 as wire
from rapport.contracts.worker.v1.reranker_pb2_grpc import RerankerServicer
from rapport.models.ports import PAIR, Role, SequenceBackend
from rapport.models.sets import Choice
from rapport.models.sources import locate
from rapport.ops.errors import InvalidRequest
from rapport.ops.settings import Settings
from rapport.serving.batching import Batcher
from rapport.serving.device_thread import DeviceThread
from rapport.serving.dummy import DummyReranker
from rapport.serving.encoder_service import usage_of
from rapport.serving.host import ModelHost
from rapport.serving.limits import TextLimits
from rapport.serving.loading import warming
from rapport.serving.tensors import to_tensor
from rapport.serving.vocabulary import priority_of, wire_model

RERANKER = wire.DESCRIPTOR.services_by_name["Reranker"].full_name


def reranker_host(settings: Settings, device: DeviceThread) -> ModelHost[SequenceBackend, Batcher]:
    """The part that serves `Rerank`. Opens and loads nothing yet."""
    worker = settings.worker

    def load() -> SequenceBackend:
        backend = _load(settings)
        for step in warming(backend, ()):
            step()
        return backend

    def run(backend: SequenceBackend) -> Batcher:
        return Batcher(
            "reranker",
            backend,
            device,
            max_queue=worker.max_queue,
            max_batch_tokens=worker.max_batch_tokens,
            max_queue_characters=worker.max_queue_characters,
        )

    return ModelHost("reranker", device, load, run)


def _load(settings: Settings) -> SequenceBackend:
    if settings.worker.backend == "dummy":
        return DummyReranker()
    from rapport.models.torch_reranker import TorchReranker

    name = settings.models.reranker or ""
    folder = locate(Choice(name, name), settings.models.cache)
    return TorchReranker(folder, name, settings.worker.device, settings.worker.threads)


class RerankService(RerankerServicer):
    """One relevance score a passage."""

    def __init__(self, host: ModelHost[SequenceBackend, Batcher], limits: TextLimits) -> None:
        self._host, self._limits = host, limits

    async def Rerank(self, request: wire.RerankRequest, context: Any) -> wire.RerankResponse:
        """Raises `InvalidRequest` naming the field, `UnavailableError` while the model loads, and what
        `Batcher.run` raises.
        """
        if not request.query.strip():
            raise InvalidRequest("empty", field="query", fix="give what the passages should be about")
        self._limits.check([request.query])
        self._limits.check(request.passages)
        batcher = self._host.engine
        query = request.query.replace(PAIR, " ")
        pairs = [f"{query}{PAIR}{passage}" for passage in request.passages]
        answer = await batcher.run(pairs, Role.QUERY, priority_of(request.priority))
        return wire.RerankResponse(
            scores=to_tensor(answer.rows[:, 0], "float32"),
            model=wire_model(batcher.backend.model),
            usage=usage_of(answer),
        )
