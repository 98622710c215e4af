"""The worker's encoder, with the vectors of the last texts kept: shoppers look at the same products."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rapport.ops.errors import UnavailableError
from rapport.ops.metrics import counter
from services.profiler.domain.background import REFERENCE_TEXTS, Background, Vector
from services.profiler.ports import Encoded


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
        self._texts = counter("profiler_texts", "Behaviour texts by where their vector came from", ("source",))

    async def current(self) -> str:
        return self._model or (await self.encode(())).model

    async def encode(self, texts: Collection[str]) -> Encoded:
        """One call for the texts that are not kept; two when the encoder has changed since the last one."""
        vectors = {text: self._cache.pop(text) for text in texts if text in self._cache}
        self._cache |= vectors  # back in, as the newest
        missing = [text for text in dict.fromkeys(texts) if text not in vectors]
        self._texts.labels("cache").inc(len(vectors))
        self._texts.labels("worker").inc(len(missing))
        model, background = self._model, self._background
        if missing or background is None:
            model, fresh = await self._ask(missing if background else [*missing, *REFERENCE_TEXTS])
            if background is None or model != self._model:
                return await self._begin(model, fresh, texts)
            vectors |= {text: fresh[text] for text in missing}
            self._keep(vectors)
        return Encoded(vectors, background, model)

    async def _begin(self, model: str, fresh: dict[str, Vector], texts: Collection[str]) -> Encoded:
        """Starts over with another encoder: what was kept is of no use beside its vectors."""
        wanted = [text for text in dict.fromkeys([*texts, *REFERENCE_TEXTS]) if text not in fresh]
        if wanted:
            again, more = await self._ask(wanted)
            if again != model:
                raise UnavailableError(f"the encoder changes: {model}, then {again}")
            fresh |= more
        background = Background.of(fresh.__getitem__)
        self._model, self._background = model, background
        self._cache.clear()
        vectors = {text: fresh[text] for text in texts}
        self._keep(vectors)
        return Encoded(vectors, background, model)

    async def _ask(self, texts: list[str]) -> tuple[str, dict[str, Vector]]:
        answer = await self._embedder.embed(texts)
        # Rows of their own: a row of the answer would keep all of it in memory.
        return answer.model, {text: row.copy() for text, row in zip(texts, answer.vectors, strict=True)}

    def _keep(self, vectors: dict[str, Vector]) -> None:
        self._cache |= vectors
        for text in list(self._cache)[: max(0, len(self._cache) - self._capacity)]:
            del self._cache[text]
