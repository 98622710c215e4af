"""A model that a worker has only once a version of it is promoted, as a part: neither encoder nor generator."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from rapport.models.ports import SequenceBackend
from rapport.models.versions import Version
from rapport.ops.errors import UnavailableError
from rapport.ops.parts import Health
from rapport.ops.settings import WorkerSettings
from rapport.serving.batching import Batcher
from rapport.serving.device_thread import DeviceThread

Model = TypeVar("Model", bound=SequenceBackend)


class PromotedHost(Generic[Model]):
    """The worker is ready without the model, since its service goes on without one and callers are told."""

    def __init__(
        self,
        name: str,
        settings: WorkerSettings,
        device: DeviceThread,
        load: Callable[[Version], Awaitable[Model]],
        *,
        fix: str,
    ) -> None:
        """`load` returns the model of a version, warm. `fix`: what callers are told to do while there is none."""
        self.name = name
        self._settings, self._device, self._load, self._fix = settings, device, load, fix
        self._engine: tuple[Model, Batcher] | None = None

    @property
    def engine(self) -> tuple[Model, Batcher]:
        """Raises `UnavailableError` while none is promoted."""
        if self._engine is None:
            raise UnavailableError(f"no {self.name} model is promoted", fix=self._fix)
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
            model, settings = await self._load(version), self._settings
            batcher = Batcher(
                self.name,
                model,
                self._device,
                max_queue=settings.max_queue,
                max_batch_tokens=settings.max_batch_tokens,
                max_queue_characters=settings.max_queue_characters,
            )
            batcher.start()
            fresh = model, batcher
        old, self._engine = self._engine, fresh
        if old is not None:
            await old[1].drain()
            await old[1].stop()
