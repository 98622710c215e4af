"""The bot of the unit tests with a real encoder in process."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np

from rapport.models.ports import Role, SequenceBackend
from rapport.ops.errors import UnavailableError
from rapport.ops.settings import Settings
from rapport.serving.client import Embedded, Priority
from rapport.serving.loading import load_encoder
from rapport.testing.events import received
from services.chatbot.domain.understanding import Understanding
from services.chatbot.handlers import learn, on_articles
from services.demo.adapters.article_files import load_articles
from tests.unit.chatbot.conftest import Bot

_BATCH = 32


class InProcess:
    """An `Encoder` without a worker. The same text is embedded once."""

    def __init__(self, backend: SequenceBackend) -> None:
        self._backend = backend
        self._known: dict[tuple[str, Role], np.ndarray] = {}

    async def embed(
        self,
        texts: Sequence[str],
        *,
        role: Role = Role.PASSAGE,
        priority: Priority = Priority.INTERACTIVE,
        timeout_s: float | None = None,
    ) -> Embedded:
        new = [text for text in dict.fromkeys(texts) if (text, role) not in self._known]
        tokens = self._backend.tokenize(new, role)
        order = sorted(range(len(new)), key=lambda at: len(tokens[at]))
        for part in (order[at : at + _BATCH] for at in range(0, len(order), _BATCH)):
            rows = await asyncio.to_thread(self._backend.forward, [tokens[at] for at in part])
            self._known |= {(new[at], role): row for at, row in zip(part, rows, strict=True)}
        return Embedded(np.stack([self._known[text, role] for text in texts]), "in-process@1")


async def open_bot() -> Bot:
    """With the demo shop's articles and all examples learned."""
    encoder = InProcess(load_encoder(Settings(), ()).backend)
    bot = Bot(understanding=Understanding.load(), real=encoder)
    bot.shop.failure = UnavailableError("left out")
    on_articles(received(*load_articles()), bot.mind.library)
    await learn(bot.ports, bot.mind)
    return bot
