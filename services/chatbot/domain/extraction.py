"""The sentences of a passage that answer, word for word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapport.text.sentences import Sentence, split_sentences
from services.chatbot.domain.passages import Passage
from services.chatbot.domain.words import content_words

# A passage this short (in characters) is quoted whole: cutting it saves nobody reading and may lose a condition.
_WHOLE = 120
# Longest quote, in characters.
_LONGEST = 300
# Neighbours whose score is this near to the best sentence's are taken along, in the unit of `relevance`. Chosen, as the
# others here, on tests/integration/chatbot/questions.toml: the words that answer stood in 72 of 74 quotations.
_NEAR = 0.04
# What a question's words are worth beside the centred cosines of sentences.
_WORDS = 0.05


@dataclass(frozen=True, slots=True)
class Quote:
    """`text` is the article's body from character `start` to `end`."""

    text: str
    start: int
    end: int


def sentences_to_weigh(passage: Passage) -> list[Sentence]:
    """The sentences to choose from; none when the passage is short enough to be quoted whole."""
    return [] if len(passage.text) <= _WHOLE else split_sentences(passage.text)


def in_context(passage: Passage, sentences: Sequence[Sentence]) -> list[str]:
    """What to embed for each sentence: alone, "They have 60 days" would not say that it is about returns."""
    return [f"{passage.reference}: {sentence.text}" for sentence in sentences]


def relevance(question: str, sentences: Sequence[Sentence], cosines: Sequence[float] | None) -> list[float]:
    """How well each sentence answers; `cosines`: question to sentence in context, None without them."""
    if not sentences:
        return []
    asked = set(content_words(question))
    shares = [len(asked & set(content_words(sentence.text))) / max(1, len(asked)) for sentence in sentences]
    if cosines is None:
        return shares
    mean = sum(cosines) / len(cosines)
    return [cosine - mean + _WORDS * share for cosine, share in zip(cosines, shares, strict=True)]


def quote(passage: Passage, sentences: Sequence[Sentence], scores: Sequence[float]) -> Quote:
    """The best sentence, with neighbours that are about as good, as one unbroken stretch."""
    if not sentences:
        return Quote(passage.text, passage.start, passage.start + len(passage.text))
    best = max(range(len(sentences)), key=lambda at: scores[at])
    first = last = best
    while True:
        sides = [at for at in (first - 1, last + 1) if 0 <= at < len(sentences) and scores[best] - scores[at] <= _NEAR]
        sides = [at for at in sides if _length(sentences, min(first, at), max(last, at)) <= _LONGEST]
        if not sides:
            break
        side = max(sides, key=lambda at: scores[at])
        first, last = min(first, side), max(last, side)
    start, end = sentences[first].start, sentences[last].end
    return Quote(passage.text[start:end], passage.start + start, passage.start + end)


def _length(sentences: Sequence[Sentence], first: int, last: int) -> int:
    return sentences[last].end - sentences[first].start
