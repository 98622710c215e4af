"""An encoder and its classifiers as a part of a worker, replaced while they serve."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Collection

import structlog

from rapport.models.promoted import PromotedModels
from rapport.models.versions import Version
from rapport.ops.parts import Health
from rapport.ops.settings import Settings
from rapport.serving.batching import Batcher
from rapport.serving.device_memory import DeviceMemory
from rapport.serving.device_thread import DeviceThread
from rapport.serving.encoding import EncodingEngine
from rapport.serving.host import ModelHost
from rapport.serving.loading import LoadedEncoder, heads_for, load_encoder, warming

log = structlog.stdlib.get_logger(__name__)

ENCODER = "encoder"
"""The name under which encoders are registered and promoted; classifiers are registered under their task's name."""


class EncoderHost(ModelHost[LoadedEncoder, EncodingEngine]):
    """Serves what the settings name until a version is promoted, and that one from then on."""

    def __init__(self, settings: Settings, device: DeviceThread, tasks: Collection[str]) -> None:
        """`tasks`: what `Classify` may be asked for; one without a built-in head answers once a head is promoted."""
        self._settings, self._tasks = settings, tuple(tasks)
        self._promoted_heads: dict[str, Version] = {}
        self._memory = DeviceMemory(settings.worker.memory_mb)
        self._changing = asyncio.Lock()
        super().__init__("encoder", device, self._first, functools.partial(_engine, settings, device))

    def follows(self, promoted: PromotedModels) -> None:
        """Has promotions of the encoder and of the heads taken over. Before either starts."""
        promoted.follow(ENCODER, self.use_encoder)
        for task in self._tasks:
            promoted.follow(task, functools.partial(self.use_head, task))

    def model_health(self, name: str) -> Health:
        """Of the encoder, or of one task's classifier: not ready while no head for it is loaded."""
        told = self.health()
        if name != ENCODER and told.ready and name not in self.engine.heads:
            return Health(ready=False, detail=f"no classifier for {name} is promoted")
        return told

    async def use_encoder(self, version: Version | None) -> None:
        """Loads `version` (None: what the settings name) beside the one that serves, warms it with requests that came
        lately, and has it take over between two batches. Calls that came before end on the old one.

        Raises `ModelError`: the old one goes on.
        """
        async with self._changing:
            await self._first_try()
            old = self._engine
            recorded = list(old.batcher.recorded) if old else []
            loaded = await asyncio.to_thread(self._open, version)
            try:
                for step in warming(loaded.backend, recorded):
                    await self._device.run(step)
            except BaseException:
                self._memory.release(str(loaded.backend.model))
                raise
            fresh = self._run(loaded)
            fresh.start()
            self._engine = fresh
            log.info("encoder replaced", by=str(loaded.backend.model), warmed_with=len(recorded))
        if old is not None:
            await old.drain()
            await old.stop()
            if old.batcher.backend.model != loaded.backend.model:
                self._memory.release(str(old.batcher.backend.model))

    async def use_head(self, task: str, version: Version | None) -> None:
        """The classifier of `task`, from the next call on. Raises `ModelError` when it does not fit the encoder."""
        async with self._changing:
            await self._first_try()
            promoted = {name: head for name, head in self._promoted_heads.items() if name != task}
            if version is not None:
                promoted[task] = version
            if self._engine is not None:
                backend = self._engine.batcher.backend
                heads = await asyncio.to_thread(heads_for, self._settings, backend, self._tasks, promoted, strict=task)
                self._engine.heads = heads
            self._promoted_heads = promoted

    async def _first_try(self) -> None:
        if self._coming is not None:
            await asyncio.wait({self._coming})

    def _first(self) -> LoadedEncoder:
        loaded = self._open(None)
        for step in warming(loaded.backend, ()):
            step()
        return loaded

    def _open(self, version: Version | None) -> LoadedEncoder:
        return load_encoder(self._settings, self._tasks, version, self._promoted_heads, self._memory)


def _engine(settings: Settings, device: DeviceThread, loaded: LoadedEncoder) -> EncodingEngine:
    worker = settings.worker
    batcher = Batcher(
        "encoder",
        loaded.backend,
        device,
        max_queue=worker.max_queue,
        max_batch_tokens=worker.max_batch_tokens,
        max_queue_characters=worker.max_queue_characters,
        cached_rows=worker.cached_rows,
    )
    return EncodingEngine(batcher, loaded.heads)
