"""The engine of an encoder and of the classifiers that stand on its vectors."""

from __future__ import annotations

from collections.abc import Mapping

from rapport.models.ports import Head
from rapport.ops.parts import Health
from rapport.serving.batching import Batcher


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
