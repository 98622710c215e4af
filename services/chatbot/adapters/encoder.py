"""The worker's encoder, as a conversation needs it: quick to fail, and watched for a change of model."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from rapport.ops.errors import RetryableError, UnavailableError
from rapport.serving.client import Embedded, EncoderClient, Priority, Role

# After a failure the next calls fail at once for this many seconds: one customer waits for the time-out, not all.
_REST_S = 2.0


class WatchedEncoder:
    """An `Encoder`. `on_model` hears which model gave each answer."""

    def __init__(self, encoder: EncoderClient, on_model: Callable[[str], None]) -> None:
        self._encoder, self._on_model = encoder, on_model
        self._rests_until = 0.0

    async def embed(
        self,
        texts: Sequence[str],
        *,
        role: Role = Role.PASSAGE,
        priority: Priority = Priority.INTERACTIVE,
        timeout_s: float | None = None,
    ) -> Embedded:
        """As `EncoderClient.embed`; `UnavailableError` at once while the encoder rests after a failure."""
        if time.monotonic() < self._rests_until:
            raise UnavailableError("the encoder did not answer a moment ago")
        try:
            embedded = await self._encoder.embed(texts, role=role, priority=priority, timeout_s=timeout_s)
        except RetryableError:
            self._rests_until = time.monotonic() + _REST_S
            raise
        self._on_model(embedded.model)
        return embedded
