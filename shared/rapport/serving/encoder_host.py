"""An encoder and its classifiers as a part of a worker, replaced while they serve."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Collection

import structlog

from rapport.models.promoted import PromotedModels
from rapport.models.tuning.kinds import CLASSIFIER
from rapport.models.versions import Version
from rapport.ops.parts import Health
from rapport.ops.settings import Settings
from rapport.serving.device_thread import DeviceThread
from rapport.serving.encoding import EncodingEngine, EngineRoom
from rapport.serving.host import ModelHost
from rapport.serving.loading import LoadedEncoder, heads_for, load_encoder, warming
from rapport.serving.tuned_classifiers import TunedClassifiers

log = structlog.stdlib.get_logger(__name__)

ENCODER = "encoder"
"""The name under which encoders are registered and promoted; classifiers are registered under their task's name."""


class EncoderHost(ModelHost[LoadedEncoder, EncodingEngine]):
    """Serves what the settings name until a version is promoted, and that one from then on.

    A task is answered by a fine-tuned classifier with an encoder of its own where one is promoted, else by a head on
    the shared encoder.
    """

    def __init__(self, settings: Settings, device: DeviceThread, tasks: Collection[str]) -> None:
        """`tasks`: what `Classify` may be asked for; one without a built-in head answers once a version is promoted."""
        self._settings, self._tasks = settings, tuple(tasks)
        self._promoted_heads: dict[str, Version] = {}
        self._room = EngineRoom(settings.worker, device)
        self._tuned = TunedClassifiers(settings, self._room)
        self._changing = asyncio.Lock()
        super().__init__(ENCODER, device, self._first, functools.partial(self._room.engine, ENCODER))

    def follows(self, promoted: PromotedModels) -> None:
        """Has promotions of the encoder and of the classifiers taken over. Before either starts."""
        promoted.follow(ENCODER, self.use_encoder)
        for task in self._tasks:
            promoted.follow(task, functools.partial(self.use_classifier, task))

    def classifier(self, task: str) -> EncodingEngine | None:
        """The engine whose heads answer `task`; None when none does. Raises `UnavailableError` while it loads."""
        tuned = self._tuned.engine(task)
        if tuned is not None:
            return tuned
        return self.engine if task in self.engine.heads else None

    def tasks(self) -> list[str]:
        """What `Classify` may be asked for now."""
        return sorted({*self._tuned.tasks, *self.engine.heads})

    def health(self) -> Health:
        told, tuned = super().health(), self._tuned.health()
        return told if tuned.live else tuned

    def model_health(self, name: str) -> Health:
        """Of the encoder, or of one task's classifier: not ready while none for it is loaded."""
        tuned = self._tuned.engine(name)
        if tuned is not None:
            return tuned.health()
        told = super().health()
        if name != ENCODER and told.ready and name not in self.engine.heads:
            return Health(ready=False, detail=f"no classifier for {name} is promoted")
        return told

    async def stop(self) -> None:
        await super().stop()
        await self._tuned.stop()

    async def use_encoder(self, version: Version | None) -> None:
        """Loads `version` (None: what the settings name) beside the one that serves, warms it with requests that came
        lately, and has it take over between two batches. Calls that came before end on the old one.

        Raises `ModelError`: the old one goes on.
        """
        async with self._changing:
            await self._first_try()
            old = self._engine
            fresh = await self._room.beside(ENCODER, old, lambda: self._open(version))
            self._engine = fresh
            log.info("encoder replaced", by=str(fresh.batcher.backend.model))
        if old is not None:
            await self._room.retire(old, fresh)

    async def use_classifier(self, task: str, version: Version | None) -> None:
        """The classifier of `task`, from the next call on; None: the built-in one. Raises `ModelError` when it cannot
        be loaded or does not fit the encoder: what answered goes on.
        """
        async with self._changing:
            await self._first_try()
            promoted = {name: head for name, head in self._promoted_heads.items() if name != task}
            if version is not None and version.kind == CLASSIFIER:
                await self._tuned.use(task, version)
            else:
                if version is not None:
                    promoted[task] = version
                await self._use_heads(promoted, task)
                await self._tuned.drop(task)
            self._promoted_heads = promoted

    async def _use_heads(self, promoted: dict[str, Version], changed: str) -> None:
        if self._engine is not None:
            backend = self._engine.batcher.backend
            self._engine.heads = await asyncio.to_thread(
                heads_for, self._settings, backend, self._tasks, promoted, strict=changed
            )

    async def _first_try(self) -> None:
        if self._coming is not None:
            await asyncio.wait({self._coming})

    def _first(self) -> LoadedEncoder:
        loaded = self._open(None)
        for step in warming(loaded.backend, ()):
            step()
        return loaded

    def _open(self, version: Version | None) -> LoadedEncoder:
        return load_encoder(self._settings, self._tasks, version, self._promoted_heads, self._room.memory)
