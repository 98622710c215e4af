"""`SequenceRanker.Rank`: decode, run on the device, encode; and the model that is promoted, as a part of the worker."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rapport.contracts.worker.v1 import sequence_ranker_pb2 as wire
from rapport.contracts.worker.v1.common_pb2 import Usage
from rapport.contracts.worker.v1.sequence_ranker_pb2_grpc import SequenceRankerServicer
from rapport.models.ports import ModelId, Role
from rapport.models.versions import Version
from rapport.ops.errors import InvalidRequest
from rapport.ops.settings import WorkerSettings
from rapport.serving.device_thread import DeviceThread
from rapport.serving.promoted_host import PromotedHost
from rapport.serving.tensors import to_tensor
from rapport.serving.vocabulary import priority_of, wire_model
from services.recommender.worker.sasrec.shape import SEPARATOR

if TYPE_CHECKING:
    from services.recommender.worker.sasrec.ranking import SequenceModel

RANKER = wire.DESCRIPTOR.services_by_name["SequenceRanker"].full_name
# What one answer may hold: scores of a whole catalogue are for evaluation, not for a call.
_MOST_ITEMS = 1000
_NONE = np.empty(0, dtype=np.float32)


class SequenceHost(PromotedHost["SequenceModel"]):
    """The promoted sequence model, its item matrix on the device."""

    def __init__(self, settings: WorkerSettings, device: DeviceThread) -> None:
        super().__init__("sequence", settings, device, self._open, fix="./rapport train recommender --promote")

    async def best(
        self, model: SequenceModel, rows: Any, among: Sequence[int], limit: int
    ) -> list[tuple[Sequence[str], Any]]:
        """Ids and lifts of the best items for each state, computed on the device's thread."""
        found = await self._device.run(model.best, rows, among, limit)
        return [([model.items[number] for number in numbers], lifts) for numbers, lifts in found]

    async def _open(self, version: Version) -> SequenceModel:
        return await self._device.run(self._read, version)

    def _read(self, version: Version) -> SequenceModel:
        # Imported here: a worker without a promoted model needs no torch for this.
        from rapport.models.torch_device import choose_device
        from services.recommender.worker.sasrec.ranking import SequenceModel
        from services.recommender.worker.sasrec.store import load

        net, items = load(version.folder)
        model = SequenceModel(net, items, ModelId(version.name, version.version), choose_device(self._settings.device))
        model.best(model.forward([[0], list(range(min(len(items), model.window)))]), (), 10)
        return model


class RankService(SequenceRankerServicer):
    """Sequences to the items that come next."""

    def __init__(self, host: SequenceHost, max_sequences: int) -> None:
        self._host, self._max = host, max_sequences

    async def Rank(self, request: wire.RankSequenceRequest, context: Any) -> wire.RankSequenceResponse:
        """Best first, scored by how much likelier than a blind guess each is (a logarithm). A sequence of which no item
        is known gets an empty list. Raises `InvalidRequest` naming the field, `UnavailableError` while no model is
        promoted, and what `Batcher.run` raises.
        """
        if not 0 < len(request.sequences) <= self._max:
            raise InvalidRequest(f"{len(request.sequences)}, from 1 to {self._max}", field="sequences")
        if request.limit > _MOST_ITEMS:
            raise InvalidRequest(f"{request.limit}, at most {_MOST_ITEMS}", field="limit")
        model, batcher = self._host.engine
        among = [model.number[item] for item in request.candidates if item in model.number]
        known = [at for at, each in enumerate(request.sequences) if model.numbers(each.item_ids)]
        ranked = [wire.RankedItems(scores=to_tensor(_NONE, "float32")) for _ in request.sequences]
        usage = Usage()
        if known and (among or not request.candidates):
            texts = [SEPARATOR.join(request.sequences[at].item_ids) for at in known]
            answer = await batcher.run(texts, Role.QUERY, priority_of(request.priority))
            began = asyncio.get_running_loop().time()
            found = await self._host.best(model, answer.rows, among, request.limit or _MOST_ITEMS)
            spent = answer.compute_s + asyncio.get_running_loop().time() - began
            usage = Usage(input_tokens=answer.tokens, queue_ms=answer.queue_s * 1000, compute_ms=spent * 1000)
            for at, (items, lifts) in zip(known, found, strict=True):
                ranked[at] = wire.RankedItems(item_ids=items, scores=to_tensor(lifts, "float32"))
        return wire.RankSequenceResponse(ranked=ranked, model=wire_model(model.model), usage=usage)
