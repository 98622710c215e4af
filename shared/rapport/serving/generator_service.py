"""`Generator.Generate`: decode, run, encode each piece."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from rapport.contracts.worker.v1 import generator_pb2 as wire
from rapport.contracts.worker.v1.common_pb2 import Usage
from rapport.contracts.worker.v1.generator_pb2_grpc import GeneratorServicer
from rapport.models.ports import ModelId
from rapport.models.text_ports import Constraint, Sampling
from rapport.serving.generating.engine import TextEngine, TextPiece, TextRequest
from rapport.serving.host import ModelHost
from rapport.serving.vocabulary import priority_of, wire_model

_FINISH = {"stop": wire.FINISH_REASON_STOP, "length": wire.FINISH_REASON_LENGTH}


class GenerateService(GeneratorServicer):
    """Chat to text, streamed."""

    def __init__(self, host: ModelHost[Any, TextEngine]) -> None:
        self._host = host

    async def Generate(self, request: wire.GenerateRequest, context: Any) -> AsyncIterator[wire.GenerateResponse]:
        """Raises as `TextEngine.generate` does, `NotFound` for an adapter, `UnavailableError` while the model loads."""
        engine = self._host.engine
        async with contextlib.aclosing(engine.generate(_request(request))) as pieces:
            async for piece in pieces:
                yield _response(piece, engine.model)


def _request(request: wire.GenerateRequest) -> TextRequest:
    told = request.sampling
    return TextRequest(
        turns=[(turn.role, turn.content) for turn in request.messages],
        sampling=Sampling(
            temperature=told.temperature if told.HasField("temperature") else 0.0,
            top_p=told.top_p if told.HasField("top_p") else 1.0,
            top_k=told.top_k,
            frequency_penalty=told.frequency_penalty,
            presence_penalty=told.presence_penalty,
            seed=told.seed if told.HasField("seed") else None,
        ),
        max_tokens=told.max_tokens,
        stop=tuple(told.stop),
        priority=priority_of(request.priority),
        constraint=_constraint(request),
        adapter=request.adapter,
    )


def _constraint(request: wire.GenerateRequest) -> Constraint | None:
    if request.HasField("json_schema"):
        return Constraint("json_schema", request.json_schema)
    return Constraint("regex", request.regex) if request.HasField("regex") else None


def _response(piece: TextPiece, model: ModelId) -> wire.GenerateResponse:
    if piece.finish is None:
        return wire.GenerateResponse(text=piece.text)
    return wire.GenerateResponse(
        text=piece.text,
        finish_reason=_FINISH[piece.finish],
        model=wire_model(model),
        usage=Usage(
            input_tokens=piece.input_tokens,
            output_tokens=piece.output_tokens,
            queue_ms=piece.queue_s * 1000,
            compute_ms=piece.compute_s * 1000,
        ),
        time_to_first_token_ms=piece.first_token_s * 1000,
        reused_input_tokens=piece.reused_tokens,
    )
