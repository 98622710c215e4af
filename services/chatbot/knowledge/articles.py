"""`Knowledge`: find the passage, decide, quote or word it, or say honestly that it is not known."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import structlog

from rapport.events.chat import Source
from rapport.ops.errors import RetryableError
from rapport.serving.client import Turn
from services.chatbot.domain.draft import Draft
from services.chatbot.domain.extraction import Quote, quote, relevance, sentences_to_weigh
from services.chatbot.domain.grounding import SupportedSentences
from services.chatbot.domain.passages import Passage
from services.chatbot.domain.ranking import HYBRID, WORDS_ONLY, Answer, Weights, ranked
from services.chatbot.domain.reading import Context, Reading
from services.chatbot.domain.shelf import Question, Shelf
from services.chatbot.mind import Mind
from services.chatbot.ports import Generator, ShortAnswers

log = structlog.stdlib.get_logger(__name__)
# Tokens of a worded answer: three sentences. Seconds it may take: longer, and the quotation is the better answer.
_WORDED_TOKENS, _WORDED_WITHIN_S = 120, 20.0
_INSTRUCTION = (
    "Answer the customer's question in one to three short sentences. Use only what the passage says, in its own words. "
    "Do not add anything."
)


class Articles:
    """The articles of `mind.library`; `short` points at the words that answer, `generator` words them where there is
    one."""

    def __init__(self, mind: Mind, short: ShortAnswers, generator: Generator | None = None) -> None:
        self._mind, self._short, self._generator = mind, short, generator

    def fits(self, question: Reading, context: Context) -> float:
        _, answer = self._best(context.tenant, question)
        return answer.probability if answer and self._answers(answer) else 0.0

    async def answer(self, question: Reading, context: Context) -> AsyncIterator[str | Draft]:
        mind, language = self._mind, question.language
        asked, answer = self._best(context.tenant, question)
        if answer is None or not self._answers(answer):
            unsure = 1.0 - (answer.known if answer else 0.0)
            yield Draft(mind.phrases.say("refuse", language), "refuse", unsure, offer="handoff")
            return
        fit = answer.passage_for(language)
        quoted = _quoted(mind.library.of(context.tenant), fit.passage, asked)
        short = await self._pointed(asked, fit.passage, quoted)
        source = Source(
            kind="article",
            id=fit.passage.article_id,
            title=fit.passage.title,
            quote=quoted.text,
            score=round(answer.score, 4),
            start=quoted.start,
            end=quoted.end,
            answer_start=short and short[0],
            answer_end=short and short[1],
        )
        draft = Draft(quoted.text, "answer", answer.probability, sources=(source,))
        if fit.passage.language != language:
            text = mind.phrases.say("foreign_quote", language, title=fit.passage.title, quote=quoted.text)
            draft = replace(draft, text=text)
        elif self._generator is not None and language in mind.manner.generator_languages:
            async for part in _worded(asked.text, fit.passage, draft, self._generator):
                yield part
            return
        yield draft

    def _best(self, tenant: str, asked: Reading) -> tuple[Question, Answer | None]:
        """The first reading of the question that an article answers surely enough, else the last reading."""
        shelf = self._mind.library.of(tenant)
        question, best = Question(asked.text, asked.language), None
        for question in asked.questions:
            best = next(iter(_ranked(shelf, question)), None)
            if best is not None and self._answers(best) and _goes_on(shelf, question, best):
                break
        return question, best

    async def _pointed(self, asked: Question, passage: Passage, quoted: Quote) -> tuple[int, int] | None:
        """Characters of the article's body, within the quotation. Elsewhere in the passage they are rather wrong: on
        xquad the quotation holds the answer more often than the words that are pointed at (0.89 to 0.68)."""
        found = await self._short.find(asked.text, passage.text)
        if found is None:
            return None
        start, end = passage.start + found[0], passage.start + found[1]
        return (start, end) if quoted.start <= start and end <= quoted.end else None

    def _answers(self, answer: Answer) -> bool:
        return answer.known >= self._mind.manner.refuse_below


def _ranked(shelf: Shelf, question: Question) -> list[Answer]:
    return ranked(shelf.fits(question), _weights(shelf, question), question.language)


def _weights(shelf: Shelf, question: Question) -> Weights:
    return HYBRID if question.vector is not None and question.space == shelf.space else WORDS_ONLY


def _goes_on(shelf: Shelf, question: Question, answer: Answer) -> bool:
    """Whether a question that was joined to the one before does not lead away from the article."""
    if question.before is None:
        return True
    before = next(one for one in _ranked(shelf, question.before) if one.group == answer.group)
    return before.score - answer.score <= _weights(shelf, question).drift


def _quoted(shelf: Shelf, passage: Passage, question: Question) -> Quote:
    sentences = sentences_to_weigh(passage)
    cosines = shelf.sentence_cosines(question, passage)
    return quote(passage, sentences, relevance(question.text, sentences, cosines))


async def _worded(question: str, passage: Passage, quoted: Draft, generator: Generator) -> AsyncIterator[str | Draft]:
    """The supported sentences of what the language model makes of the passage; the quotation when there are none."""
    turns = [
        Turn("system", _INSTRUCTION),
        Turn("user", f"Passage: {passage.reference}\n{passage.text}\n\nQuestion: {question}"),
    ]
    checked, model = SupportedSentences(passage.text), None
    try:
        async for piece in generator.generate(turns, max_tokens=_WORDED_TOKENS, timeout_s=_WORDED_WITHIN_S):
            model = piece.model or model
            for sentence in checked.take(piece.text, last=piece.finish is not None):
                yield sentence
    except RetryableError as error:
        log.warning("the language model gives nothing more", error=str(error))
    if checked.dropped:
        log.info("sentences without support left out", dropped=checked.dropped)
    yield replace(quoted, text=checked.text, model=model) if checked.text else quoted
