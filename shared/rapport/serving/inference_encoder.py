"""Embeddings from a stock Triton or KServe server: any model there that takes texts and gives one vector a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rapport.contracts.openinference.v2 import inference_service_pb2 as wire
from rapport.contracts.openinference.v2.inference_service_pb2_grpc import GRPCInferenceServiceStub
from rapport.models.ports import Role
from rapport.ops.errors import ConfigurationError, InvalidRequest, UnavailableError
from rapport.serving.channel import PeerChannel
from rapport.serving.embedded import Embedded
from rapport.serving.inference_tensors import TEXTS, floats_of, packed_texts
from rapport.serving.vocabulary import Priority

_FLOATS = ("FP32", "FP16", "FP64")


@dataclass(frozen=True, slots=True)
class _Shape:
    """What the model calls its tensors, and whether texts come as [texts, 1] (as Triton's batching models want)."""

    input: str
    output: str
    in_columns: bool
    version: str


class InferenceEncoder:
    """The model `name` behind `channel`."""

    def __init__(self, channel: PeerChannel, name: str) -> None:
        self._channel, self._name = channel, name

    async def embed(
        self, texts: Sequence[str], role: Role, priority: Priority, timeout_s: float | None, most: int
    ) -> Embedded:
        """As `EncoderClient.embed`, `most` texts a call. Raises `ConfigurationError` when the model is no encoder."""
        if not texts:
            raise InvalidRequest("an empty list", field="texts", fix="give at least one text")
        shape = await self._shape(timeout_s)
        answers = [
            await self._infer(texts[at : at + most], role, priority, timeout_s, shape)
            for at in range(0, len(texts), most)
        ]
        if len({answer.model_version for answer in answers}) > 1:
            raise UnavailableError("the encoder changed during the call")
        vectors = np.concatenate([floats_of(answer, shape.output) for answer in answers])
        if vectors.ndim != 2 or len(vectors) != len(texts):
            raise UnavailableError(f"{self._name} answered {list(vectors.shape)} for {len(texts)} texts")
        norms = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny)
        return Embedded(vectors / norms, f"{self._name}@{answers[0].model_version or shape.version}")

    async def _shape(self, timeout_s: float | None) -> _Shape:
        """From the model's own metadata: asked each time, as it is cheap and the model may be replaced."""
        method = self._channel.stub(GRPCInferenceServiceStub).ModelMetadata
        told = await self._channel.call(method, wire.ModelMetadataRequest(name=self._name), timeout_s=timeout_s)
        inputs = [each for each in told.inputs if each.datatype == TEXTS]
        outputs = [each for each in told.outputs if each.datatype in _FLOATS and len(each.shape) <= 2]
        if len(inputs) != 1 or len(told.inputs) != 1 or not outputs:
            given = ", ".join(f"{each.name} {each.datatype}" for each in [*told.inputs, *told.outputs])
            raise ConfigurationError(
                f"{self._name} is no encoder of texts: {given}",
                field="RAPPORT_WORKER__ADDRESS",
                fix="name a model with one BYTES input and an output of floats",
            )
        return _Shape(
            inputs[0].name, outputs[0].name, len(inputs[0].shape) == 2, told.versions[0] if told.versions else ""
        )

    async def _infer(
        self, texts: Sequence[str], role: Role, priority: Priority, timeout_s: float | None, shape: _Shape
    ) -> wire.ModelInferResponse:
        request = wire.ModelInferRequest(model_name=self._name)
        request.parameters["role"].string_param = role.value
        request.parameters["priority"].string_param = priority.value
        request.inputs.add(
            name=shape.input, datatype=TEXTS, shape=[len(texts), 1] if shape.in_columns else [len(texts)]
        )
        request.outputs.add(name=shape.output)
        request.raw_input_contents.append(packed_texts(texts))
        method = self._channel.stub(GRPCInferenceServiceStub).ModelInfer
        return await self._channel.call(method, request, timeout_s=timeout_s)
