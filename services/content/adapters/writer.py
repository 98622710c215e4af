"""`Writer` over the service's own model worker."""

from __future__ import annotations

from collections.abc import Sequence

from rapport.serving.generator_client import GeneratorClient, Turn, collect


class WorkerWriter:
    """Asks the worker's generator for a whole text."""

    def __init__(self, generator: GeneratorClient, *, max_tokens: int, temperature: float) -> None:
        self._generator, self._max_tokens, self._temperature = generator, max_tokens, temperature

    async def write(self, turns: Sequence[tuple[str, str]], *, seed: int) -> tuple[str, str]:
        messages = [Turn(role, text) for role, text in turns]
        pieces = self._generator.generate(
            messages, max_tokens=self._max_tokens, temperature=self._temperature, seed=seed
        )
        whole = await collect(pieces)
        return whole.text, whole.model
