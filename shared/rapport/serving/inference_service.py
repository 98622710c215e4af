"""The Open Inference Protocol, version 2, for a worker's encoder and classifiers: what Triton's clients talk to.

Models: "encoder", and each task by its name. Input "text", BYTES [texts]. Outputs: "embedding" FP32 [texts,
dimensions]; of a task "probabilities" FP32 [texts, labels] and "label" BYTES [texts]. Parameters "role" and "priority"
as in our own RPCs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rapport.contracts.openinference.v2 import inference_service_pb2 as wire
from rapport.contracts.openinference.v2.inference_service_pb2_grpc import GRPCInferenceServiceServicer
from rapport.models.ports import Head, ModelId, Role
from rapport.ops.errors import InvalidRequest, NotFound, UnavailableError
from rapport.serving.encoder_host import ENCODER, EncoderHost
from rapport.serving.encoding import EncodingEngine
from rapport.serving.inference_tensors import TEXTS, put_output, put_texts, texts_of
from rapport.serving.limits import TextLimits
from rapport.serving.vocabulary import Priority

INFERENCE = wire.DESCRIPTOR.services_by_name["GRPCInferenceService"].full_name
INPUT, EMBEDDING, PROBABILITIES, LABEL = "text", "embedding", "probabilities", "label"


class InferenceService(GRPCInferenceServiceServicer):
    """Answers from the same queue, limits and cache as `Encoder` and `Classifier`."""

    def __init__(self, host: EncoderHost, limits: TextLimits, *, embed: bool) -> None:
        """`embed`: the encoder itself may be asked, not only the heads on it."""
        self._host, self._limits, self._embed = host, limits, embed

    async def ServerLive(self, request: Any, context: Any) -> wire.ServerLiveResponse:
        return wire.ServerLiveResponse(live=self._host.health().live)

    async def ServerReady(self, request: Any, context: Any) -> wire.ServerReadyResponse:
        return wire.ServerReadyResponse(ready=self._host.health().ready)

    async def ModelReady(self, request: wire.ModelReadyRequest, context: Any) -> wire.ModelReadyResponse:
        try:
            self._model(request.name, request.version)
        except (NotFound, UnavailableError):
            return wire.ModelReadyResponse(ready=False)
        return wire.ModelReadyResponse(ready=self._host.health().ready)

    async def ServerMetadata(self, request: Any, context: Any) -> wire.ServerMetadataResponse:
        return wire.ServerMetadataResponse(name="rapport", version="2", extensions=[])

    async def ModelMetadata(self, request: wire.ModelMetadataRequest, context: Any) -> wire.ModelMetadataResponse:
        """Raises `NotFound` naming the models that there are."""
        engine, head = self._model(request.name, request.version)
        answer = wire.ModelMetadataResponse(
            name=request.name, versions=[_identity(engine, head).revision], platform="rapport"
        )
        answer.inputs.add(name=INPUT, datatype=TEXTS, shape=[-1])
        if head is None:
            answer.outputs.add(name=EMBEDDING, datatype="FP32", shape=[-1, engine.batcher.backend.dimensions])
        else:
            answer.outputs.add(name=PROBABILITIES, datatype="FP32", shape=[-1, len(head.labels)])
            answer.outputs.add(name=LABEL, datatype=TEXTS, shape=[-1])
        return answer

    async def ModelInfer(self, request: wire.ModelInferRequest, context: Any) -> wire.ModelInferResponse:
        """Raises as `EmbedService.Embed` does."""
        texts = texts_of(request)
        self._limits.check(texts)
        engine, head = self._model(request.model_name, request.model_version)
        known = [EMBEDDING] if head is None else [PROBABILITIES, LABEL]
        wanted = _wanted(request, known)
        role = head.role if head is not None else Role(_chosen(request, "role", [each.value for each in Role]))
        priority = Priority(_chosen(request, "priority", [each.value for each in Priority]))
        answer = await engine.batcher.run(texts, role, priority)
        response = wire.ModelInferResponse(
            model_name=request.model_name, model_version=_identity(engine, head).revision, id=request.id
        )
        response.parameters["model"].string_param = str(_identity(engine, head))
        if head is None:
            put_output(response, EMBEDDING, answer.rows)
            return response
        probabilities = head.probabilities(answer.rows, texts)
        if PROBABILITIES in wanted:
            put_output(response, PROBABILITIES, probabilities)
        if LABEL in wanted:
            put_texts(response, LABEL, [head.labels[column] for column in probabilities.argmax(axis=1)])
        return response

    def _model(self, name: str, version: str) -> tuple[EncodingEngine, Head | None]:
        engine = self._host.classifier(name)
        found: tuple[EncodingEngine, Head | None] | None = None
        if engine is not None:
            found = engine, engine.heads[name]
        elif self._embed and name in (ENCODER, self._host.engine.batcher.backend.model.id):
            found = self._host.engine, None
        if found is None:
            there = [*([ENCODER] if self._embed else []), *self._host.tasks()]
            raise NotFound(f"no model {name[:100]!r} here", field="model_name", fix=f"one of {', '.join(there)}")
        revision = _identity(*found).revision
        if version not in ("", revision):
            raise NotFound(f"no version {version[:100]!r} here", field="model_version", fix=f"{revision} or empty")
        return found


def _identity(engine: EncodingEngine, head: Head | None) -> ModelId:
    return engine.batcher.backend.model if head is None else head.model


def _wanted(request: wire.ModelInferRequest, known: Sequence[str]) -> list[str]:
    names = [output.name for output in request.outputs]
    for index, name in enumerate(names):
        if name not in known:
            raise InvalidRequest(f"{name[:40]!r}", field=f"outputs[{index}].name", fix=f"one of {', '.join(known)}")
    return names or list(known)


def _chosen(request: wire.ModelInferRequest, name: str, values: Sequence[str]) -> str:
    """The first of `values` when the parameter is not given."""
    given = request.parameters[name].string_param if name in request.parameters else values[0]
    if given not in values:
        raise InvalidRequest(f"{given[:40]!r}", field=f"parameters.{name}", fix=f"one of {', '.join(values)}")
    return given
