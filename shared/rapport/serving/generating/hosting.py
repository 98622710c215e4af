"""Whatever makes text as a part of a worker: our own decoder, replaced while it serves, or another server."""

from __future__ import annotations

import asyncio
import functools
import gc
from collections.abc import Collection, Mapping
from typing import Any

import structlog

from rapport.models.promoted import PromotedModels
from rapport.models.text_ports import Decoder
from rapport.models.versions import Version
from rapport.ops.settings import Settings
from rapport.serving.device_thread import DeviceThread
from rapport.serving.generating.engine import TextEngine
from rapport.serving.generating.loading import load_decoder, open_decoder, warming
from rapport.serving.generating.loop import GenerationLoop
from rapport.serving.host import ModelHost

log = structlog.stdlib.get_logger(__name__)

GENERATOR = "generator"
"""The name under which language models are registered and promoted; adapters are registered under their own."""


def remote_host(settings: Settings, device: DeviceThread) -> ModelHost[None, TextEngine]:
    """The part that passes `Generator` on to the endpoint of the settings."""
    from rapport.serving.generating.remote import RemoteEngine

    worker, models = settings.worker, settings.models
    return ModelHost(
        GENERATOR,
        device,
        lambda: None,
        lambda _: RemoteEngine(
            GENERATOR,
            str(models.generator_url),
            model=models.generator,
            key=models.generator_key.get_secret_value() if models.generator_key else "",
            max_queue=worker.max_queue,
            default_max_tokens=worker.max_tokens,
        ),
    )


class GenerationHost(ModelHost[Decoder[Any], GenerationLoop]):
    """Serves the language model and adapters that the settings name, until versions of them are promoted."""

    def __init__(self, settings: Settings, device: DeviceThread, adapters: Collection[str] = ()) -> None:
        """`adapters`: names of LoRA adapters that are served once a version of theirs is promoted."""
        self._settings, self._adapters = settings, tuple(adapters)
        self._generator: Version | None = None
        self._promoted_adapters: Mapping[str, Version] = {}
        self._changing = asyncio.Lock()
        super().__init__(GENERATOR, device, functools.partial(load_decoder, settings), self._loop)

    def follows(self, promoted: PromotedModels) -> None:
        """Has promotions of the model and of its adapters taken over. Before either starts."""
        promoted.follow(GENERATOR, self.use_generator)
        for name in self._adapters:
            promoted.follow(name, functools.partial(self.use_adapter, name))

    async def use_generator(self, version: Version | None) -> None:
        """Loads `version` (None: what the settings name) with its adapters beside the model that serves, warms it with
        requests that came lately, and has it take over the next request. Texts under way end on the old one.

        Raises `ModelError`: the old one goes on.
        """
        async with self._changing:
            old = await self._replace(version, self._promoted_adapters)
        await _retire(old)

    async def use_adapter(self, name: str, version: Version | None) -> None:
        """As `use_generator`, of the adapter `name`; None: the one of the settings, if they name one."""
        async with self._changing:
            others = {known: its for known, its in self._promoted_adapters.items() if known != name}
            old = await self._replace(self._generator, others | ({name: version} if version else {}))
        await _retire(old)

    async def _replace(self, generator: Version | None, adapters: Mapping[str, Version]) -> GenerationLoop | None:
        if self._coming is not None:
            await asyncio.wait({self._coming})
        old = self._engine
        decoder = await asyncio.to_thread(open_decoder, self._settings, generator, adapters)
        for step in warming(decoder, list(old.recorded) if old else []):
            await self._device.run(step)
        fresh = self._run(decoder)
        fresh.start()
        self._engine, self._generator, self._promoted_adapters = fresh, generator, adapters
        log.info("generator replaced", by=str(decoder.model), adapters=sorted(decoder.adapters))
        return old

    def _loop(self, decoder: Decoder[Any]) -> GenerationLoop:
        worker = self._settings.worker
        return GenerationLoop(
            GENERATOR, decoder, self._device, max_queue=worker.max_queue, default_max_tokens=worker.max_tokens
        )


async def _retire(old: GenerationLoop | None) -> None:
    if old is not None:
        await old.drain()
        await old.stop()
        # Networks hold themselves in circles: hundreds of MB would wait for the collector's own time.
        del old
        gc.collect()
