"""Answering from the articles: find, decide, quote (or word), or say honestly that it is not known."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import structlog

from rapport.events.chat import Source
from rapport.ops.errors import RetryableError
from rapport.serving.client import Turn
from services.chatbot.domain.draft import Draft
from services.chatbot.domain.extraction import Quote, quote, relevance, sentences_to_weigh
from services.chatbot.domain.grounding import SupportedSentences
from services.chatbot.domain.languages import Language
from services.chatbot.domain.mind import Mind
from services.chatbot.domain.passages import Passage
from services.chatbot.domain.ranking import HYBRID, WORDS_ONLY, Answer, ranked
from services.chatbot.domain.shelf import Question, Shelf
from services.chatbot.ports import Generator, Ports

log = structlog.stdlib.get_logger(__name__)
# Tokens of a worded answer: three sentences. Seconds it may take: longer, and the quotation is the better answer.
_WORDED_TOKENS, _WORDED_WITHIN_S = 120, 20.0
# P(a | q) from which an article outweighs a likeness. Of the questions in tests/integration/chatbot/questions.toml none
# that wants an action reaches it, save by a rule.
_SURE = 0.6
_INSTRUCTION = (
    "Answer the customer's question in one to three short sentences. Use only what the passage says, in its own words. "
    "Do not add anything."
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question `alone`, and `leaning` on the one before it where it may be a follow-up."""

    alone: Question
    leaning: Question | None = None
    leans_first: bool = False
    """It begins like a follow-up, so it is first read as one."""

    def readings(self) -> list[Question]:
        """In the order to try."""
        if self.leaning is None:
            return [self.alone]
        return [self.leaning, self.alone] if self.leans_first else [self.alone, self.leaning]


def surely_known(tenant: str, asked: Asked, mind: Mind) -> bool:
    """Whether an article fits so well that a mere likeness to the examples of another intent does not count."""
    _, answer = _best(tenant, asked, mind)
    return answer is not None and answer.probability >= _SURE


async def knowledge_answer(
    tenant: str, asked: Asked, language: Language, ports: Ports, mind: Mind
) -> AsyncIterator[str | Draft]:
    """Sentences of a worded answer as they are checked, where there is one; then the draft."""
    question, answer = _best(tenant, asked, mind)
    if answer is None or answer.probability < mind.manner.refuse_below:
        unsure = 1.0 - (answer.probability if answer else 0.0)
        yield Draft(mind.phrases.say("refuse", language), "refuse", unsure, offer="handoff")
        return
    fit = answer.passage_for(language)
    quoted = _quoted(mind.library.of(tenant), fit.passage, question)
    source = Source(
        kind="article",
        id=fit.passage.article_id,
        title=fit.passage.title,
        quote=quoted.text,
        score=round(answer.score, 4),
    )
    draft = Draft(quoted.text, "answer", answer.probability, sources=(source,))
    if fit.passage.language != language:
        text = mind.phrases.say("foreign_quote", language, title=fit.passage.title, quote=quoted.text)
        draft = replace(draft, text=text)
    elif ports.generator is not None and language in mind.manner.generator_languages:
        async for part in _worded(question.text, fit.passage, draft, ports.generator):
            yield part
        return
    yield draft


def _best(tenant: str, asked: Asked, mind: Mind) -> tuple[Question, Answer | None]:
    """The first reading of the question that an article answers surely enough, else the last reading."""
    shelf = mind.library.of(tenant)
    question, best = asked.alone, None
    for question in asked.readings():
        with_vector = question.vector is not None and question.space == shelf.space
        weights = HYBRID if with_vector else WORDS_ONLY
        best = next(iter(ranked(shelf.fits(question), weights, question.language)), None)
        if best is not None and best.probability >= mind.manner.refuse_below:
            break
    return question, best


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
    checked, model = SupportedSentences(f"{passage.reference}\n{passage.text}"), None
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
