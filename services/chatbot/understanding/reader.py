"""`Understanding`: exact rules first, then what was learned from examples."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime

import structlog

from rapport.ops.errors import NotFound, RetryableError
from rapport.serving.client import Role
from rapport.text.language import identify_language
from rapport.text.normalise import normalise
from services.chatbot.domain.languages import Language, reply_language
from services.chatbot.domain.reading import Context, Guess, Reading
from services.chatbot.domain.shelf import Float32, Question
from services.chatbot.domain.understanding import Understanding
from services.chatbot.ports import Classifier, Encoder
from services.chatbot.understanding.entities import Entities

log = structlog.stdlib.get_logger(__name__)


class Reader:
    """Rules and examples of every intent, with the worker's models for what no rule decides."""

    def __init__(
        self,
        encoder: Encoder,
        classifier: Classifier,
        understanding: Understanding,
        *,
        timeout_s: float,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        """Without an answer of the worker within `timeout_s`, rules and words alone decide. `today`: "yesterday" is the
        day before."""
        self._encoder, self._classifier, self._understanding = encoder, classifier, understanding
        self._timeout_s, self._today = timeout_s, today
        self._entities = Entities.load()

    async def read(self, text: str, context: Context) -> Reading:
        """What `text` says in its `context`. Never raises for a worker that is down."""
        plain = normalise(text)
        language = reply_language(plain, context.hint, context.conversation.language, context.language)
        questions, sentiment = await asyncio.gather(self._questions(plain, language, context), self._sentiment(plain))
        by_rule = self._understanding.by_rule(plain)
        alone = next(one for one in questions if one.text == plain)
        guesses = (Guess(by_rule, 1.0),) if by_rule else self._understanding.guesses(alone.vector, alone.space)
        return Reading(
            plain,
            language,
            guesses,
            detected=identify_language(plain),
            by_rule=by_rule is not None,
            entities=self._entities.find(plain, context.orders, self._today()),
            sentiment=sentiment,
            questions=questions,
        )

    async def _sentiment(self, text: str) -> float | None:
        """P(positive) - P(negative), -1 to 1; None where no model told."""
        try:
            told = await self._classifier.classify("sentiment", [text], timeout_s=self._timeout_s)
        except (RetryableError, NotFound) as error:
            log.warning("the sentiment is not known", error=str(error))
            return None
        of = dict(zip(told.labels, told.probabilities[0].tolist(), strict=True))
        return float(of.get("positive", 0.0) - of.get("negative", 0.0))

    async def _questions(self, text: str, language: Language, context: Context) -> tuple[Question, ...]:
        """The question alone, and joined to the one before where it may lean on that; in the order to try."""
        before, has = context.conversation.last_question(), self._understanding.has
        leaning = bool(before) and (has("follow_up", text) or has("pronoun", text))
        texts = [text, f"{before} {text}"] if leaning else [text]
        vectors: list[Float32] | list[None]
        try:
            embedded = await self._encoder.embed(texts, role=Role.QUERY, timeout_s=self._timeout_s)
            vectors, space = list(embedded.vectors), embedded.model
        except RetryableError as error:
            log.warning("the encoder gives nothing: words alone are compared", error=str(error))
            vectors, space = [None for _ in texts], ""
        asked_in = reply_language(text, "", language, language)
        questions = [Question(part, asked_in, vector, space) for part, vector in zip(texts, vectors, strict=True)]
        return tuple(reversed(questions)) if leaning and has("follow_up", text) else tuple(questions)
