"""What a topic is called: by a language model in the customers' own words, or by the words that set it apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from rapport.ops.errors import RapportError
from rapport.serving.client import Priority
from rapport.serving.generator_client import Piece, Turn, collect
from rapport.text.tokens import tokens
from services.profiler.insights.finding import Finding

KIND = "emerging_topic"
_ASKED = Turn(
    "system",
    "Customers of a shop wrote these lines. Name what they have in common in two to five of their own words, in their"
    " language. Answer with the name alone.",
)
_MOST_TOKENS, _MOST_WORDS, _MOST_LETTERS = 16, 8, 60
# Words that a name without a model is made of, and those that a model may choose from; a word is common to the texts
# when every so manieth has it.
_NAMING, _TELLING, _COMMON = 3, 6, 3
# What names nothing, however often a few texts of a young topic say it.
_FILLERS = frozenset(["a", "an", "and", "for", "in", "is", "it", "my", "of", "on", "or", "the", "this", "to", "with"])
# Nobody waits for a name, but the round that it is part of goes on after it.
_PATIENCE_S = 20.0


class Generator(Protocol):
    """What `GeneratorClient` is here."""

    def generate(
        self,
        messages: Sequence[Turn],
        *,
        max_tokens: int,
        regex: str | None,
        priority: Priority,
        timeout_s: float | None,
    ) -> AsyncGenerator[Piece, None]: ...


class TopicNamer:
    """Without a generator, and where its answer does not hold, topics keep the name that their words make."""

    def __init__(self, generator: Generator | None) -> None:
        self._generator = generator

    async def named(self, finding: Finding) -> Finding:
        """A finding of `KIND`, called as the model says; any other as it is."""
        if self._generator is None or finding.kind != KIND:
            return finding
        texts, words = finding.data["texts"], finding.data["words"]
        turns = [_ASKED, Turn("user", "\n".join(texts))]
        try:
            answer = await collect(
                self._generator.generate(
                    turns,
                    max_tokens=_MOST_TOKENS,
                    regex=choice_of(words),
                    priority=Priority.BULK,
                    timeout_s=_PATIENCE_S,
                )
            )
        except RapportError:
            return finding
        name = answer.text.strip().strip("\"'“”‘’.。").strip()
        return renamed(finding, name) if holds(name, texts) else finding


def choice_of(words: Sequence[str]) -> str | None:
    """Two to four of the telling `words`, as a regular expression: a small model left to itself goes on and on. None
    for Chinese, which has no words to choose from without a dictionary.
    """
    if len(words) < 2 or not all(word.isascii() for word in words):
        return None
    either = "|".join(re.escape(word) for word in words)
    return f"({either})( ({either})){{1,3}}"


def holds(name: str, texts: Collection[str]) -> bool:
    """Whether `name` is short, repeats nothing, and says nothing that `texts` do not say."""
    words = tokens(name)
    if len(set(words)) < len(words):
        return False
    said = {word for text in texts for word in tokens(text)}
    return 0 < len(words) <= _MOST_WORDS and len(name) <= _MOST_LETTERS and "\n" not in name and said.issuperset(words)


def renamed(finding: Finding, name: str) -> Finding:
    """The same, called `name` by a model."""
    before = f"“{finding.data['name']}”"
    data = {**finding.data, "name": name, "named_by": "model"}
    return replace(finding, sentence=finding.sentence.replace(before, f"“{name}”"), data=data)


def telling_words(texts: Collection[str], others: Mapping[str, int], topics: int) -> list[str]:
    """The words that set a topic apart, the most telling first: c-TF-IDF, tf · log(1 + A / f) with A the words of an
    average topic and f how often a word is said in all (Grootendorst 2022, "BERTopic"), of words that a third of the
    texts have. `others`: words of all topics and how often they are said.
    """
    said = [tokens(text) for text in texts]
    counts = Counter(word for words in said for word in words)
    having = Counter(word for words in said for word in set(words))
    average = sum(others.values()) / max(1, topics)
    weights = {
        word: count * float(np.log1p(average / max(1, others.get(word, 0))))
        for word, count in counts.items()
        if _COMMON * having[word] >= len(said) and word not in _FILLERS
    }
    return sorted(weights, key=lambda word: (-weights[word], word))[:_TELLING]


def name_of(telling: Sequence[str], texts: Collection[str]) -> str:
    """The most telling words, in the order in which the texts say them."""
    said = [tokens(text) for text in texts]
    best = telling[:_NAMING]
    return joined(sorted(best, key=lambda word: float(np.mean([words.index(word) for words in said if word in words]))))


def joined(words: Sequence[str]) -> str:
    """Words as a name. Pairs of Chinese characters that overlap (防水, 水跑) are one run again."""
    name = ""
    for word in words:
        if name and word[0] == name[-1] and not word.isascii():
            name += word[1:]
        else:
            name += f" {word}" if name else word
    return name
