"""Takes over the intents that were trained and promoted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from rapport.models.tuning.kinds import CLASSIFIER
from rapport.models.versions import Version
from rapport.ops.errors import UnavailableError
from services.chatbot.domain.understanding import Understanding
from services.chatbot.training.versions import Facts, facts_of, head_of

log = structlog.stdlib.get_logger(__name__)


class TrainedIntents:
    """Follows promotions of `chatbot-intents`."""

    def __init__(self, understanding: Understanding, relearn: Callable[[], None]) -> None:
        """`relearn`: have the built-in examples learned again."""
        self._understanding, self._relearn = understanding, relearn

    async def use(self, version: Version | None) -> None:
        """Raises `UnavailableError` while no encoder has answered yet, `ModelError` for another encoder's version."""
        if version is None:
            self._understanding.serve(None)
            self._understanding.forget()
            self._relearn()
            return
        facts = await asyncio.to_thread(facts_of, version)
        if version.kind == CLASSIFIER:
            self._understanding.serve(facts.act_from)
        else:
            await self._learn(version, facts)
        log.info("intents are trained ones", version=version.version, intents=len(facts.by_intent))

    async def _learn(self, version: Version, facts: Facts) -> None:
        space = self._understanding.space
        if not space:
            raise UnavailableError("no encoder has answered yet")
        head = await asyncio.to_thread(head_of, version, space)
        self._understanding.learn(space, head, facts.act_from)
        self._understanding.serve(None)
