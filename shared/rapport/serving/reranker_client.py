"""Asking a model worker how relevant passages are to a query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rapport.contracts.worker.v1.reranker_pb2 import RerankRequest
from rapport.contracts.worker.v1.reranker_pb2_grpc import RerankerStub
from rapport.serving.channel import PeerChannel
from rapport.serving.tensors import from_tensor
from rapport.serving.vocabulary import Priority, model_name, wire_priority


@dataclass(frozen=True, slots=True)
class Reranked:
    """`scores`: float32 [passages], higher is more relevant, in the order of the passages. `model`: "id@revision"."""

    scores: npt.NDArray[np.float32]
    model: str


class RerankerClient:
    """`Reranker.Rerank` of the worker behind `channel`."""

    def __init__(self, channel: PeerChannel) -> None:
        self._channel = channel

    async def rerank(
        self,
        query: str,
        passages: Sequence[str],
        *,
        priority: Priority = Priority.INTERACTIVE,
        timeout_s: float | None = None,
    ) -> Reranked:
        """A score for each of `passages`. Raises as `EncoderClient.embed`; `UnavailableError` also where a worker has
        no reranker (`RAPPORT_MODELS__RERANKER` is not set).
        """
        request = RerankRequest(query=query, passages=passages, priority=wire_priority(priority))
        method = self._channel.stub(RerankerStub).Rerank
        answer = await self._channel.call(method, request, timeout_s=timeout_s)
        return Reranked(from_tensor(answer.scores, "scores").astype(np.float32), model_name(answer.model))
