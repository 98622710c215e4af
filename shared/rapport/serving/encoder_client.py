"""Asking a model worker for embeddings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from rapport.contracts.worker.v1.encoder_pb2 import EmbedRequest, EmbedResponse
from rapport.contracts.worker.v1.encoder_pb2_grpc import EncoderStub
from rapport.models.ports import Role
from rapport.ops.errors import UnavailableError
from rapport.serving.channel import PeerChannel, WorkerChannel
from rapport.serving.embedded import Embedded
from rapport.serving.inference_encoder import InferenceEncoder
from rapport.serving.options import MAX_MESSAGE_BYTES
from rapport.serving.tensors import from_tensor
from rapport.serving.vocabulary import Priority, model_name, wire_priority, wire_role

# Texts in one call. The worker batches by tokens whatever the call's size, so larger calls are no faster; smaller ones
# keep each well within its deadline on a slow CPU.
TEXTS_PER_CALL = 256


class EncoderClient:
    """`Encoder.Embed` of the worker behind `channel`."""

    def __init__(self, channel: PeerChannel, *, max_texts: int = TEXTS_PER_CALL) -> None:
        """`max_texts`: the worker's own limit where that is lower than `TEXTS_PER_CALL`."""
        self._channel, self._max_texts = channel, min(max_texts, TEXTS_PER_CALL)

    async def embed(
        self,
        texts: Sequence[str],
        *,
        role: Role = Role.PASSAGE,
        priority: Priority = Priority.INTERACTIVE,
        timeout_s: float | None = None,
    ) -> Embedded:
        """Unit vectors of `texts`, with the prefix that the encoder wants for `role`. Long lists take several calls,
        each with its own deadline of `timeout_s` (default: the channel's).

        Raises `InvalidRequest` for an empty list or a text above the worker's limit; `OverloadedError`,
        `UnavailableError` and `DeadlineError` as the worker is full, down (or still loading), or too slow.
        """
        if isinstance(self._channel, WorkerChannel) and self._channel.inference_model:
            foreign = InferenceEncoder(self._channel, self._channel.inference_model)
            return await foreign.embed(texts, role, priority, timeout_s, self._max_texts)
        if not texts:
            # The worker would say the same; asked of it, so that the answer and its field come from one place.
            return _joined([await self._embed([], role, priority, timeout_s)])
        calls = _calls(texts, self._max_texts, MAX_MESSAGE_BYTES // 2)
        return _joined([await self._embed(part, role, priority, timeout_s) for part in calls])

    async def _embed(
        self, texts: Sequence[str], role: Role, priority: Priority, timeout_s: float | None
    ) -> EmbedResponse:
        request = EmbedRequest(texts=texts, role=wire_role(role), dtype="float16", priority=wire_priority(priority))
        return await self._channel.call(self._channel.stub(EncoderStub).Embed, request, timeout_s=timeout_s)


def _joined(answers: Sequence[EmbedResponse]) -> Embedded:
    names = {model_name(answer.model) for answer in answers}
    if len(names) > 1:
        # A promotion fell between two calls: vectors of two encoders must never stand in one answer.
        raise UnavailableError(f"the encoder changed during the call: {', '.join(sorted(names))}")
    vectors = np.concatenate([from_tensor(answer.vectors, "vectors") for answer in answers]).astype(np.float32)
    # Half precision on the wire shortens or lengthens a row by up to 1e-3.
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Embedded(vectors, names.pop())


def _calls(texts: Sequence[str], most_texts: int, most_bytes: int) -> Iterator[list[str]]:
    """`texts` in order, in lists of at most `most_texts` and, save for single giants, at most `most_bytes`."""
    part: list[str] = []
    size = 0
    for text in texts:
        taken = len(text.encode())
        if part and (len(part) == most_texts or size + taken > most_bytes):
            yield part
            part, size = [], 0
        part.append(text)
        size += taken
    if part:
        yield part
