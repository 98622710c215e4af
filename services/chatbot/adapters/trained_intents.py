"""Takes over the intents that were trained and promoted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from rapport.models.versions import Version
from rapport.ops.errors import UnavailableError
from services.chatbot.domain.understanding import Understanding
from services.chatbot.training.versions import load

log = structlog.stdlib.get_logger(__name__)


class TrainedIntents:
    """Follows promotions of `chatbot-intents`."""

    def __init__(self, understanding: Understanding, relearn: Callable[[], None]) -> None:
        """`relearn`: have the built-in examples learned again."""
        self._understanding, self._relearn = understanding, relearn

    async def use(self, version: Version | None) -> None:
        """Raises `UnavailableError` while no encoder has answered yet, `ModelError` for another encoder's version."""
        space = self._understanding.space
        if version is None:
            self._understanding.forget()
            self._relearn()
            return
        if not space:
            raise UnavailableError("no encoder has answered yet")
        trained = await asyncio.to_thread(load, version, space)
        self._understanding.learn(space, trained.head, trained.act_from)
        log.info("intents are trained ones", version=version.version, intents=len(trained.by_intent))
