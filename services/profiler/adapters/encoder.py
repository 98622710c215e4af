"""The worker's encoder, with the vectors of the last texts kept: shoppers look at the same products."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rapport.ops.errors import UnavailableError
from rapport.ops.metrics import counter
from services.profiler.domain.background import REFERENCE_TEXTS, Background, Vector
from services.profiler.ports import Encoded

# All partitions ask at once, and each call has a deadline: so many texts are answered in time by a slow CPU as well.
_TEXTS_AT_ONCE = 64
# An encoder that was changed more often than this during one batch will not be in peace for the next try either.
_MOST_CHANGES = 3


class _Embedded(Protocol):
    @property
    def vectors(self) -> npt.NDArray[np.float32]: ...
    @property
    def model(self) -> str: ...


class Embedder(Protocol):
    """What `EncoderClient` is here."""

    async def embed(self, texts: Sequence[str]) -> _Embedded: ...


class CachedEncoder:
    """`TextEncoder` on the worker. Keeps `capacity` vectors, the least recently used goes first."""

    def __init__(self, embedder: Embedder, capacity: int) -> None:
        self._embedder, self._capacity = embedder, capacity
        self._cache: dict[str, Vector] = {}
        self._model = ""
        self._background: Background | None = None
        self._beginning = asyncio.Lock()
        self._texts = counter("profiler_texts", "Behaviour texts by where their vector came from", ("source",))

    async def current(self) -> str:
        model, _ = await self._begun()
        return model

    async def encode(self, texts: Collection[str]) -> Encoded:
        """Asks for the texts that are not kept, and keeps each answer at once: when a later one fails, the next try has
        less to ask for. Starts over when the encoder changes meanwhile, whose vectors go with no others.
        """
        for _ in range(_MOST_CHANGES):
            model, background = await self._begun()
            vectors = await self._vectors(list(dict.fromkeys(texts)), model)
            if vectors is not None:
                return Encoded(vectors, background, model)
            self._background = None
        raise UnavailableError("the encoder changes from call to call")

    async def _begun(self) -> tuple[str, Background]:
        async with self._beginning:
            if self._background is None:
                self._model, fresh = await self._ask(list(REFERENCE_TEXTS))
                self._background = Background.of(fresh.__getitem__)
                self._cache.clear()
            return self._model, self._background

    async def _vectors(self, texts: list[str], model: str) -> dict[str, Vector] | None:
        """None when another encoder than `model` answers."""
        vectors = {text: self._cache.pop(text) for text in texts if text in self._cache}
        self._cache |= vectors  # back in, as the newest
        missing = [text for text in texts if text not in vectors]
        self._texts.labels("cache").inc(len(vectors))
        self._texts.labels("worker").inc(len(missing))
        for start in range(0, len(missing), _TEXTS_AT_ONCE):
            answered, fresh = await self._ask(missing[start : start + _TEXTS_AT_ONCE])
            if not answered == model == self._model:
                return None
            vectors |= fresh
            self._keep(fresh)
        return vectors

    async def _ask(self, texts: list[str]) -> tuple[str, dict[str, Vector]]:
        answer = await self._embedder.embed(texts)
        # Rows of their own: a row of the answer would keep all of it in memory.
        return answer.model, {text: row.copy() for text, row in zip(texts, answer.vectors, strict=True)}

    def _keep(self, vectors: dict[str, Vector]) -> None:
        self._cache |= vectors
        for text in list(self._cache)[: max(0, len(self._cache) - self._capacity)]:
            del self._cache[text]
