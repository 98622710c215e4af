"""`Encoder.Embed` and `Classifier.Classify`: decode, run, encode."""

from __future__ import annotations

from typing import Any, Protocol

from rapport.contracts.worker.v1 import classifier_pb2, encoder_pb2
from rapport.contracts.worker.v1.classifier_pb2_grpc import ClassifierServicer
from rapport.contracts.worker.v1.common_pb2 import Usage
from rapport.contracts.worker.v1.encoder_pb2_grpc import EncoderServicer
from rapport.ops.errors import NotFound
from rapport.serving.encoding import EncodingEngine
from rapport.serving.encoding_call import Answer
from rapport.serving.limits import TextLimits
from rapport.serving.tensors import to_tensor, wire_dtype
from rapport.serving.vocabulary import priority_of, role_of, wire_model


class EncodingHost(Protocol):
    """Who holds the engine that answers now."""

    @property
    def engine(self) -> EncodingEngine:
        """Raises `UnavailableError` with the reason while there is none."""


class ClassifyingHost(Protocol):
    """Who holds the engines that answer tasks now."""

    def classifier(self, task: str) -> EncodingEngine | None:
        """The engine whose heads answer `task`; None when none does. Raises `UnavailableError` while it loads."""

    def tasks(self) -> list[str]:
        """Those that are answered now."""


class EmbedService(EncoderServicer):
    """Texts to unit vectors."""

    def __init__(self, host: EncodingHost, limits: TextLimits) -> None:
        self._host, self._limits = host, limits

    async def Embed(self, request: encoder_pb2.EmbedRequest, context: Any) -> encoder_pb2.EmbedResponse:
        """Raises `InvalidRequest` and `NotFound` naming the field, `UnavailableError` while the model loads, and what
        `Batcher.run` raises.
        """
        dtype = request.dtype or "float16"
        wire_dtype(dtype)
        self._limits.check(request.texts)
        batcher = self._host.engine.batcher
        model = batcher.backend.model
        if request.model not in ("", model.id, str(model)):
            raise NotFound(f"no encoder {request.model[:100]!r} here", field="model", fix=f"{model} or empty")
        answer = await batcher.run(request.texts, role_of(request.role), priority_of(request.priority))
        return encoder_pb2.EmbedResponse(
            vectors=to_tensor(answer.rows, dtype), model=wire_model(model), usage=usage_of(answer)
        )


class ClassifyService(ClassifierServicer):
    """Texts to label probabilities, P(c|x) = softmax(W x + b) on an encoder's vectors."""

    def __init__(self, host: ClassifyingHost, limits: TextLimits) -> None:
        self._host, self._limits = host, limits

    async def Classify(self, request: classifier_pb2.ClassifyRequest, context: Any) -> classifier_pb2.ClassifyResponse:
        """Raises as `EmbedService.Embed` does; `NotFound` names the tasks that there are."""
        self._limits.check(request.texts)
        engine = self._host.classifier(request.task)
        if engine is None:
            tasks = ", ".join(self._host.tasks()) or "none"
            raise NotFound(f"no task {request.task[:100]!r} here", field="task", fix=f"tasks: {tasks}")
        head = engine.heads[request.task]
        answer = await engine.batcher.run(request.texts, head.role, priority_of(request.priority))
        probabilities, energies = head.told(answer.rows, request.texts)
        return classifier_pb2.ClassifyResponse(
            labels=head.labels,
            probabilities=to_tensor(probabilities, "float32"),
            model=wire_model(head.model),
            usage=usage_of(answer),
            energies=to_tensor(energies, "float32"),
        )


def usage_of(answer: Answer) -> Usage:
    """What the call cost, as the wire tells it."""
    return Usage(input_tokens=answer.tokens, queue_ms=answer.queue_s * 1000, compute_ms=answer.compute_s * 1000)
