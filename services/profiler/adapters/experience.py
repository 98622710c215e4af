"""Keeps what propensity has learned over restarts: a copy in Redis, the one that has seen most."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import structlog

from rapport.ops.errors import RetryableError
from rapport.ops.parts import Health
from rapport.ops.tasks import end
from rapport.vectors.key_values import KeyValues
from services.profiler.learning.logistic import OnlineLogistic

log = structlog.stdlib.get_logger(__name__)
# What a crash may forget, in seconds; a copy is some kilobytes.
_EVERY_S = 60.0
# Raise it when the inputs change their meaning: an older copy is left alone then.
_VERSION = 1


class KeptExperience:
    """A part. Without Redis learning goes on, and is kept once it is back."""

    name = "experience"

    def __init__(self, key_values: KeyValues, tenant: str, models: Mapping[str, OnlineLogistic]) -> None:
        """`models`: by name, changed in place."""
        self._kv, self._models = key_values, models
        self._keys = {name: f"{tenant}:propensity:{_VERSION}:{name}" for name in models}
        self._task: asyncio.Task[None] | None = None
        self._recalled = False
        self._detail = ""

    async def start(self) -> None:
        self._task = asyncio.create_task(self._keep(), name=self.name)

    async def stop(self) -> None:
        task, self._task = self._task, None
        await end(task)
        await self._try()

    def health(self) -> Health:
        return Health(detail=self._detail)

    async def exchange(self) -> None:
        """Takes over a copy that has seen more, and leaves ours where it has. Raises `UnavailableError`."""
        names = list(self._models)
        stored = await self._kv.read([self._keys[name] for name in names])
        ours: dict[str, bytes] = {}
        for name, found in zip(names, stored, strict=True):
            model = self._models[name]
            kept = unpacked(found) if found else None
            if kept is None or kept.weights.shape != model.weights.shape or kept.count <= model.count:
                if model.count:
                    ours[self._keys[name]] = packed(model)
            elif not self._recalled:
                _become(model, kept)
                log.info("experience recalled", model=name, examples=round(model.count))
        await self._kv.write(ours)
        # Only at the start: two replicas that go on learning each keep their own.
        self._recalled = True

    async def _keep(self) -> None:
        while True:
            await self._try()
            await asyncio.sleep(_EVERY_S)

    async def _try(self) -> None:
        try:
            await self.exchange()
        except RetryableError as error:
            self._detail = str(error)
        else:
            self._detail = ", ".join(f"{name}: {model.count:.0f} examples" for name, model in self._models.items())


def packed(model: OnlineLogistic) -> bytes:
    """All arrays and numbers of `model` as an npz archive."""
    archive = io.BytesIO()
    parts: dict[str, Any] = {field.name: np.asarray(getattr(model, field.name)) for field in fields(model)}
    np.savez(archive, **parts)
    return archive.getvalue()


def unpacked(stored: bytes) -> OnlineLogistic:
    """The other way round."""
    with np.load(io.BytesIO(stored), allow_pickle=False) as archive:
        found = {name: archive[name] for name in archive.files}
    parts: dict[str, Any] = {name: float(value) if value.ndim == 0 else value for name, value in found.items()}
    return OnlineLogistic(**parts)


def _become(model: OnlineLogistic, kept: OnlineLogistic) -> None:
    for field in fields(model):
        setattr(model, field.name, getattr(kept, field.name))
