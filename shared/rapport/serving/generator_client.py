"""Asking a model worker for text, streamed or whole."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from rapport.contracts.worker.v1 import generator_pb2 as wire
from rapport.contracts.worker.v1.generator_pb2_grpc import GeneratorStub
from rapport.ops.errors import UnavailableError
from rapport.serving.channel import PeerChannel
from rapport.serving.vocabulary import Priority, model_name, wire_priority

Finish = Literal["stop", "length"]
_FINISH: dict[int, Finish] = {wire.FINISH_REASON_STOP: "stop", wire.FINISH_REASON_LENGTH: "length"}


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a chat. `role`: "system", "user" or "assistant"."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Piece:
    """What is new since the piece before. The last has `finish`, and with it `model` and the figures."""

    text: str
    finish: Finish | None = None
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    first_token_ms: float = 0.0
    reused_tokens: int = 0


class GeneratorClient:
    """`Generator.Generate` of the worker behind `channel`."""

    def __init__(self, channel: PeerChannel) -> None:
        self._channel = channel

    async def generate(
        self,
        messages: Sequence[Turn],
        *,
        max_tokens: int = 0,
        temperature: float | None = None,
        top_p: float | None = None,
        seed: int | None = None,
        top_k: int = 0,
        frequency_penalty: float = 0.0,
        presence_penalty: float = 0.0,
        stop: Sequence[str] = (),
        json_schema: Mapping[str, Any] | None = None,
        regex: str | None = None,
        adapter: str = "",
        priority: Priority = Priority.INTERACTIVE,
        timeout_s: float | None = None,
    ) -> AsyncGenerator[Piece, None]:
        """Pieces of text as they are decoded. `max_tokens` 0: the worker's default; `temperature` None or 0: greedy.

        The same `seed` gives the same text. `json_schema` or `regex`: what the text matches, unless it ends for its
        length. `adapter`: a LoRA adapter by the name in the worker's settings.

        Closing the iterator frees the worker's slot. Raises `InvalidRequest` naming what is wrong before the first
        piece, and the retryable errors of `EncoderClient.embed`; `timeout_s` is for the whole stream.
        """
        sampling = wire.Sampling(
            max_tokens=max_tokens,
            temperature=temperature,
            top_p=top_p,
            seed=seed,
            stop=stop,
            top_k=top_k,
            frequency_penalty=frequency_penalty,
            presence_penalty=presence_penalty,
        )
        request = wire.GenerateRequest(
            messages=[wire.ChatTurn(role=turn.role, content=turn.content) for turn in messages],
            sampling=sampling,
            priority=wire_priority(priority),
            adapter=adapter,
        )
        if json_schema is not None:
            request.json_schema = json.dumps(json_schema)
        elif regex is not None:
            request.regex = regex
        method = self._channel.stub(GeneratorStub).Generate
        async with contextlib.aclosing(self._channel.stream(method, request, timeout_s=timeout_s)) as answers:
            async for answer in answers:
                yield _piece(answer)


async def collect(pieces: AsyncIterator[Piece]) -> Piece:
    """The whole text, with the last piece's figures: `await collect(generator.generate(turns))`.

    Raises `UnavailableError` when the stream ends before its last piece.
    """
    texts: list[str] = []
    last: Piece | None = None
    async for piece in pieces:
        texts.append(piece.text)
        last = piece
    if last is None or last.finish is None:
        raise UnavailableError("the text broke off")
    return replace(last, text="".join(texts))


def _piece(answer: wire.GenerateResponse) -> Piece:
    finish = _FINISH.get(answer.finish_reason)
    if finish is None:
        return Piece(answer.text)
    return Piece(
        text=answer.text,
        finish=finish,
        model=model_name(answer.model),
        input_tokens=answer.usage.input_tokens,
        output_tokens=answer.usage.output_tokens,
        first_token_ms=answer.time_to_first_token_ms,
        reused_tokens=answer.reused_input_tokens,
    )
