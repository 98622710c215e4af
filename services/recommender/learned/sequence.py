"""Recall by the sequence model: asked of the worker, once an answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rapport.contracts.worker.v1 import sequence_ranker_pb2 as wire
from rapport.contracts.worker.v1.sequence_ranker_pb2_grpc import SequenceRankerStub
from rapport.events.recommendations import ReasonKind
from rapport.models.versions import Version
from rapport.serving.channel import PeerChannel
from rapport.serving.tensors import from_tensor
from services.recommender.learned.sources import squashed

# How much likelier than a blind guess an ordinary tenth candidate is: log of some 30 times (see `lifts`).
_HALF_AT = 3.5


class SequenceRecall:
    """A `Recaller` of the service. Asks only while a model is promoted: without one the worker would say so, and every
    answer would name it as a fallback."""

    def __init__(self, channel: PeerChannel, tenant: str) -> None:
        self.name: ReasonKind = "sequence"
        self._channel, self._tenant, self._promoted = channel, tenant, False

    async def use(self, version: Version | None) -> None:
        """Told of promotions, as the worker is."""
        self._promoted = version is not None

    async def recall(
        self, tenant: str, histories: Sequence[Sequence[str]], limit: int
    ) -> Sequence[Sequence[tuple[str, float]]]:
        """Raises `RetryableError` when the worker does not answer in time, or is still loading the model."""
        if not self._promoted or tenant != self._tenant:
            return [()] * len(histories)
        sequences = [wire.ItemSequence(item_ids=history) for history in histories]
        request = wire.RankSequenceRequest(sequences=sequences, limit=limit)
        answer = await self._channel.call(self._channel.stub(SequenceRankerStub).Rank, request)
        return [_likelier(ranked) for ranked in answer.ranked]


def _likelier(ranked: wire.RankedItems) -> Sequence[tuple[str, float]]:
    """What is likelier than a blind guess."""
    if not ranked.item_ids:
        return ()
    lifts = np.asarray(from_tensor(ranked.scores, "scores"), dtype=np.float32)
    likelier = zip(ranked.item_ids, lifts[lifts > 0], strict=False)
    return [(item, float(squashed(lift, _HALF_AT))) for item, lift in likelier]
