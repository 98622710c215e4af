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
from rapport.ops.errors import InvalidRequest, UnavailableError
from rapport.ops.parts import Health
from rapport.ops.settings import WorkerSettings
from rapport.serving.batching import Batcher
from rapport.serving.device_thread import DeviceThread
from rapport.serving.tensors import to_tensor
from rapport.serving.vocabulary import priority_of, wire_model
from services.recommender.worker.sasrec.shape import SEPARATOR

if TYPE_CHECKING:
    from services.recommender.worker.sasrec.ranking import SequenceModel

RANKER = wire.DESCRIPTOR.services_by_name["SequenceRanker"].full_name
# What one answer may hold: scores of a whole catalogue are for evaluation, not for a call.
_MOST_ITEMS = 1000
_NONE = np.empty(0, dtype=np.float32)


class SequenceHost:
    """The promoted sequence model, its item matrix on the device. A part; the worker is ready without a model, since
    the shop goes on without one and callers are told."""

    name = "sequence"

    def __init__(self, settings: WorkerSettings, device: DeviceThread) -> None:
        self._settings, self._device = settings, device
        self._engine: tuple[SequenceModel, Batcher] | None = None

    @property
    def engine(self) -> tuple[SequenceModel, Batcher]:
        """Raises `UnavailableError` while none is promoted."""
        if self._engine is None:
            raise UnavailableError("no sequence model is promoted", fix="./rapport train recommender --promote")
        return self._engine

    async def start(self) -> None:
        """Waits for a promotion."""

    async def stop(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine[1].stop()

    def health(self) -> Health:
        return Health(detail="no model promoted") if self._engine is None else self._engine[1].health()

    async def use(self, version: Version | None) -> None:
        """Loads, warms and takes over; calls under way end on the old model. Raises `ModelError`: the old one stays."""
        fresh = None
        if version is not None:
            model = await self._device.run(self._load, version)
            fresh = (
                model,
                Batcher(
                    "sequence",
                    model,
                    self._device,
                    max_queue=self._settings.max_queue,
                    max_batch_tokens=self._settings.max_batch_tokens,
                ),
            )
            fresh[1].start()
        old, self._engine = self._engine, fresh
        if old is not None:
            await old[1].drain()
            await old[1].stop()

    async def best(
        self, model: SequenceModel, rows: Any, among: Sequence[int], limit: int
    ) -> list[tuple[Sequence[str], Any]]:
        """Ids and lifts of the best items for each state, computed on the device's thread."""
        found = await self._device.run(model.best, rows, among, limit)
        return [([model.items[number] for number in numbers], lifts) for numbers, lifts in found]

    def _load(self, version: Version) -> SequenceModel:
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

    async def Rank(  # noqa: N802 - the contract's name
        self,
        request: wire.RankSequenceRequest,
        context: Any,  # noqa: ARG002
    ) -> wire.RankSequenceResponse:
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
