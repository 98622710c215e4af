"""`Understanding`: exact rules first, then what was learned from examples."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import structlog

from rapport.ops.errors import NotFound, RetryableError
from rapport.serving.client import Classified, Role
from rapport.text.language import identify_language
from rapport.text.normalise import normalise
from services.chatbot.domain.entities.order_numbers import without_numbers
from services.chatbot.domain.languages import Language, reply_language
from services.chatbot.domain.reading import Context, Guess, Reading
from services.chatbot.domain.shelf import Float32, Question
from services.chatbot.domain.understanding import Understanding
from services.chatbot.domain.words import content_words
from services.chatbot.ports import Classifier, Encoder
from services.chatbot.training.versions import NAME as INTENTS

# A message of no more says little by itself: "on Sundays?", 银卡呢.
_FEW_WORDS, _FEW_CHARACTERS = 1, 4
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
    ) -> None:
        """Without an answer of the worker within `timeout_s`, rules and words alone decide."""
        self._encoder, self._classifier, self._understanding = encoder, classifier, understanding
        self._timeout_s = timeout_s

    async def read(self, text: str, context: Context) -> Reading:
        """What `text` says in its `context`. Never raises for a worker that is down."""
        plain = normalise(text)
        language = reply_language(plain, context.hint, context.conversation.language, context.language)
        by_rule = self._understanding.by_rule(plain)
        questions, sentiment, served = await asyncio.gather(
            self._questions(without_numbers(plain), language, context),
            self._sentiment(plain),
            _nothing() if by_rule else self._served(plain),
        )
        alone = questions[-1]
        learned = served or self._understanding.guesses(alone.vector, alone.space)
        guesses = (Guess(by_rule, 1.0),) if by_rule else learned
        return Reading(
            plain,
            language,
            guesses,
            detected=identify_language(plain),
            by_rule=by_rule is not None,
            sentiment=sentiment,
            questions=questions,
        )

    async def _sentiment(self, text: str) -> float | None:
        """P(positive) - P(negative), -1 to 1; None where no model told."""
        told = await self._classified("sentiment", text)
        if told is None:
            return None
        of = dict(zip(told.labels, told.probabilities[0].tolist(), strict=True))
        return float(of.get("positive", 0.0) - of.get("negative", 0.0))

    async def _served(self, text: str) -> tuple[Guess, ...]:
        """By the worker's trained classifier; nothing where there is none, or it is not there yet."""
        told = await self._classified(INTENTS, text) if self._understanding.served else None
        return self._understanding.guesses_of(told.labels, told.probabilities[0]) if told else ()

    async def _classified(self, task: str, text: str) -> Classified | None:
        try:
            return await self._classifier.classify(task, [text], timeout_s=self._timeout_s)
        except (RetryableError, NotFound) as error:
            log.warning("the worker does not tell", task=task, error=str(error))
            return None

    async def _questions(self, text: str, language: Language, context: Context) -> tuple[Question, ...]:
        """The question joined to the one before where it leans on that, and alone; in the order to try."""
        before = without_numbers(normalise(context.conversation.last_question()))
        leaning = bool(before) and (self._understanding.has("follow_up", text) or _brief(text))
        texts = [text, before, f"{before} {text}"] if leaning else [text]
        vectors: list[Float32] | list[None]
        try:
            embedded = await self._encoder.embed(texts, role=Role.QUERY, timeout_s=self._timeout_s)
            vectors, space = list(embedded.vectors), embedded.model
        except RetryableError as error:
            log.warning("the encoder gives nothing: words alone are compared", error=str(error))
            vectors, space = [None for _ in texts], ""
        asked_in = reply_language(text, "", language, language)
        alone, *asked = [Question(part, asked_in, vector, space) for part, vector in zip(texts, vectors, strict=True)]
        if not asked:
            return (alone,)
        earlier, joined = asked
        return replace(joined, before=earlier), alone


def _brief(text: str) -> bool:
    """Whether a text can hardly be a question by itself."""
    chinese = sum("\u4e00" <= letter <= "\u9fff" for letter in text)
    return 0 < chinese <= _FEW_CHARACTERS or len(content_words(text)) <= _FEW_WORDS


async def _nothing() -> tuple[Guess, ...]:
    return ()
