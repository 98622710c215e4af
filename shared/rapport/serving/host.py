"""A model as a part of its process: loads and warms in the background, is ready after, says why when it is not."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import structlog

from rapport.ops.errors import RapportError, UnavailableError
from rapport.ops.metrics import gauge
from rapport.ops.parts import Health
from rapport.serving.device_thread import DeviceThread

log = structlog.stdlib.get_logger(__name__)


class Engine(Protocol):
    """What runs a loaded model for its callers. Made, started and stopped on the event loop."""

    def start(self) -> None: ...
    async def stop(self) -> None: ...
    def health(self) -> Health: ...


Loaded = TypeVar("Loaded")
Running = TypeVar("Running", bound=Engine)


class ModelHost(Generic[Loaded, Running]):
    """Holds one engine once its model is loaded and warm."""

    def __init__(
        self,
        name: str,
        device: DeviceThread,
        load: Callable[[], Loaded],
        run: Callable[[Loaded], Running],
    ) -> None:
        """`load` runs on the device's thread and returns the model warm; `run` builds the engine around it."""
        self.name = name
        self._device, self._load, self._run = device, load, run
        self._engine: Running | None = None
        self._coming: asyncio.Task[None] | None = None
        self._detail = "not started"

    @property
    def engine(self) -> Running:
        """Raises `UnavailableError` with the reason while there is none."""
        if self._engine is None:
            raise UnavailableError(f"{self.name}: {self._detail}")
        return self._engine

    async def start(self) -> None:
        """Returns at once; loading goes on in the background."""
        if self._coming is None:
            self._detail = "loading"
            self._coming = asyncio.create_task(self._bring_up(), name=f"load {self.name}")

    async def stop(self) -> None:
        coming, self._coming = self._coming, None
        if coming is not None:
            coming.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await coming
        engine, self._engine = self._engine, None
        self._detail = "stopped"
        if engine is not None:
            await engine.stop()

    def health(self) -> Health:
        """A model that cannot be loaded leaves the process live: a restart would not find it either."""
        return Health(ready=False, detail=self._detail) if self._engine is None else self._engine.health()

    async def _bring_up(self) -> None:
        began = time.monotonic()
        try:
            engine = self._run(await self._device.run(self._load))
        except RapportError as error:
            self._detail = str(error)
            log.error("model not loaded", model=self.name, reason=self._detail)  # noqa: TRY400 - foreseen: no trace
            return
        except Exception as error:
            self._detail = f"cannot be loaded: {error!r}"
            log.exception("model not loaded", model=self.name)
            return
        engine.start()
        self._engine = engine
        seconds = time.monotonic() - began
        gauge("model_load_seconds", "From start to warm", ("model",)).labels(self.name).set(seconds)
        log.info("model ready", model=self.name, seconds=round(seconds, 2), detail=engine.health().detail)
