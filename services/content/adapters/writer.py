"""`Writer` over the service's own model worker."""

from __future__ import annotations

from collections.abc import Sequence

from rapport.serving.generator_client import GeneratorClient, Turn, collect


class WorkerWriter:
    """Asks the worker's generator for a whole text."""

    def __init__(
        self, generator: GeneratorClient, *, max_tokens: int, temperature: float, adapter: str, constrain: bool
    ) -> None:
        """`adapter`: a LoRA adapter by its name in the worker's settings; "" for none."""
        self._generator, self._max_tokens, self._temperature = generator, max_tokens, temperature
        self._adapter, self._constrain = adapter, constrain

    async def write(
        self, turns: Sequence[tuple[str, str]], *, seed: int, pattern: str | None = None
    ) -> tuple[str, str]:
        messages = [Turn(role, text) for role, text in turns]
        pieces = self._generator.generate(
            messages,
            max_tokens=self._max_tokens,
            temperature=self._temperature,
            seed=seed,
            regex=pattern if self._constrain else None,
            adapter=self._adapter,
        )
        whole = await collect(pieces)
        return whole.text, whole.model
