"""The engine of an encoder and of the classifiers that stand on its vectors, and how one follows another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from rapport.models.ports import Head
from rapport.ops.parts import Health
from rapport.ops.settings import WorkerSettings
from rapport.serving.batching import Batcher
from rapport.serving.device_memory import DeviceMemory
from rapport.serving.device_thread import DeviceThread
from rapport.serving.loading import LoadedEncoder, warming


class EncodingEngine:
    """One encoder's batches, and by task the heads that read them: both RPCs share one queue and one device."""

    def __init__(self, batcher: Batcher, heads: Mapping[str, Head]) -> None:
        self.batcher, self.heads = batcher, heads

    def start(self) -> None:
        self.batcher.start()

    async def stop(self) -> None:
        await self.batcher.stop()

    async def drain(self) -> None:
        """Returns once every accepted call has its answer."""
        await self.batcher.drain()

    def health(self) -> Health:
        return self.batcher.health()


class EngineRoom:
    """Builds engines on one device, within its memory."""

    def __init__(self, worker: WorkerSettings, device: DeviceThread) -> None:
        self._worker, self._device = worker, device
        self.memory = DeviceMemory(worker.memory_mb)

    def engine(self, name: str, loaded: LoadedEncoder) -> EncodingEngine:
        """Around a model that is warm; not started. `name`: its label in the metrics."""
        worker = self._worker
        batcher = Batcher(
            name,
            loaded.backend,
            self._device,
            max_queue=worker.max_queue,
            max_batch_tokens=worker.max_batch_tokens,
            max_queue_characters=worker.max_queue_characters,
            cached_rows=worker.cached_rows,
        )
        return EncodingEngine(batcher, loaded.heads)

    async def beside(self, name: str, old: EncodingEngine | None, load: Callable[[], LoadedEncoder]) -> EncodingEngine:
        """A started engine of what `load` loads, warmed with requests that `old` answered lately; `old` goes on.

        Raises what `load` raises; nothing is left behind then.
        """
        recorded = list(old.batcher.recorded) if old else []
        loaded = await asyncio.to_thread(load)
        try:
            for step in warming(loaded.backend, recorded):
                await self._device.run(step)
        except BaseException:
            self.memory.release(str(loaded.backend.model))
            raise
        fresh = self.engine(name, loaded)
        fresh.start()
        return fresh

    async def retire(self, old: EncodingEngine, by: EncodingEngine | None) -> None:
        """Ends `old` once the calls that came before have their answers; `by` is what answers since."""
        await old.drain()
        await old.stop()
        if by is None or old.batcher.backend.model != by.batcher.backend.model:
            self.memory.release(str(old.batcher.backend.model))
