"""The words of a passage that answer, by the reader that was trained and promoted."""

from __future__ import annotations

import asyncio

import structlog

from rapport.models.folder import read_json
from rapport.models.versions import Version
from rapport.ops.errors import ModelError, RetryableError
from rapport.serving.client import ReaderClient
from services.chatbot.training.answer_names import FACTS, KIND

log = structlog.stdlib.get_logger(__name__)


class TrainedAnswers:
    """A `ShortAnswers` that follows promotions of `chatbot-answers`."""

    def __init__(self, reader: ReaderClient, *, timeout_s: float) -> None:
        self._reader, self._timeout_s = reader, timeout_s
        self._least: float | None = None

    async def use(self, version: Version | None) -> None:
        """Raises `ModelError` for a version of something else."""
        if version is None:
            self._least = None
            return
        told = await asyncio.to_thread(read_json, version.folder / FACTS)
        if version.kind != KIND or "least" not in told:
            raise ModelError(f"{version} is of kind {version.kind}, or lacks {FACTS}")
        self._least = float(told["least"])
        log.info("answers are pointed at", version=version.version, least=self._least)

    async def find(self, question: str, passage: str) -> tuple[int, int] | None:
        """See `ShortAnswers`."""
        if self._least is None:
            return None
        try:
            spans = await self._reader.extract(question, [passage], timeout_s=self._timeout_s)
        except RetryableError as error:
            log.warning("no answer is pointed at", reason=str(error))
            return None
        return next(((span.start, span.end) for span in spans if span.probability >= self._least), None)
