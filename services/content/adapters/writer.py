"""`Writer` over the service's own model worker, with the copywriter that is promoted."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from rapport.models.versions import Version
from rapport.ops.errors import NotFound
from rapport.serving.generator_client import GeneratorClient, Piece, Turn, collect
from services.content.training import COPYWRITER

log = structlog.stdlib.get_logger(__name__)


class WorkerWriter:
    """Asks the worker's generator for a whole text."""

    def __init__(
        self, generator: GeneratorClient, *, max_tokens: int, temperature: float, adapter: str, constrain: bool
    ) -> None:
        """`adapter`: a LoRA adapter by its name in the worker's settings; "": the promoted copywriter, if there is
        one.
        """
        self._generator, self._max_tokens, self._temperature = generator, max_tokens, temperature
        self._named, self._promoted, self._constrain = adapter, "", constrain

    async def use(self, version: Version | None) -> None:
        """Follows promotions of the copywriter; None: none is promoted."""
        self._promoted = COPYWRITER if version else ""

    async def write(
        self, turns: Sequence[tuple[str, str]], *, seed: int, pattern: str | None = None
    ) -> tuple[str, str]:
        messages, adapter = [Turn(role, text) for role, text in turns], self._named or self._promoted
        try:
            whole = await self._ask(messages, seed, pattern, adapter)
        except NotFound:
            if self._named or not adapter:
                raise
            # The worker follows the same promotion, in its own time, and keeps what it has when a version does not fit.
            log.info("the worker has not taken the promoted copywriter over; the base model writes")
            whole = await self._ask(messages, seed, pattern, "")
        return whole.text, whole.model

    async def _ask(self, messages: Sequence[Turn], seed: int, pattern: str | None, adapter: str) -> Piece:
        pieces = self._generator.generate(
            messages,
            max_tokens=self._max_tokens,
            temperature=self._temperature,
            seed=seed,
            regex=pattern if self._constrain else None,
            adapter=adapter,
        )
        return await collect(pieces)
