"""Whether a generated sentence is supported by the passage it was made from."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapport.text.sentences import split_sentences
from rapport.text.tokens import tokens
from services.chatbot.domain.words import stem

# Words that may come and go without a change of what is said.
_LOOSE = frozenset(("a", "an", "the", "that", "and", "also", "then", "please", "just", "so", "is", "are", "be", "it"))
# What turns or narrows a statement: dropped or added, another one is made.
_TURNS = """
not no nor never cannot can't don't doesn't won't isn't aren't without none nobody nothing if unless except only until
till while when whenever once before after otherwise instead although though however even but or either neither whether
because may might could would should must least most almost about says said believes supposed perhaps unfortunately
hardly
"""
_TURNING = frozenset(_TURNS.split())
# A statement ends here: what stands behind has a subject of its own.
_CLAUSE = re.compile(r"[;:>。；：]")
# Fewer words than these say nothing on their own.
_LEAST = 3


class SupportedSentences:
    """Takes a text piece by piece and lets the supported sentences through, each once it is whole, and once only."""

    def __init__(self, passage: str) -> None:
        self._passage = passage
        self._waiting = ""
        self._shown: set[str] = set()
        self.text = ""
        """What was let through."""
        self.dropped = 0

    def take(self, piece: str, *, last: bool) -> list[str]:
        """What may be shown now. `last`: nothing follows, so what waits is judged as it is."""
        self._waiting += piece
        sentences = split_sentences(self._waiting)
        ready = sentences if last else sentences[:-1]
        shown = []
        for sentence in ready:
            if sentence.text in self._shown or not supported(sentence.text, self._passage):
                self.dropped += 1
                continue
            self._shown.add(sentence.text)
            shown.append(f" {sentence.text}" if self.text else sentence.text)
            self.text += shown[-1]
        if ready:
            self._waiting = self._waiting[ready[-1].end :]
        return shown


def supported(sentence: str, passage: str) -> bool:
    """True when `sentence` is one of `passage`, or one clause of it from which words were left out: none that turns or
    narrows it, and no number among those kept.

    Strict on purpose: a sentence that is dropped costs a quotation instead, one that is let through may be a lie. Words
    that are all in the passage do not make it true: SmolLM2-135M said "60 days of free express delivery" where silver
    members have the days and gold ones the delivery, and told a condition as a fact.
    """
    said = _firm(sentence)
    if len(said) < _LEAST:
        return False
    for whole in split_sentences(passage):
        if said == _firm(whole.text) or any(_kept_of(said, _firm(part)) for part in _CLAUSE.split(whole.text)):
            return True
    return False


def _firm(text: str) -> list[str]:
    return [stem(token) for token in tokens(text) if token not in _LOOSE]


def _kept_of(said: Sequence[str], statement: Sequence[str]) -> bool:
    """Whether leaving words out of `statement` gives `said`."""
    if sorted(word for word in said if word in _TURNING) != sorted(word for word in statement if word in _TURNING):
        return False
    return any(_follows(said, statement[begin:]) for begin, word in enumerate(statement) if word == said[0])


def _follows(said: Sequence[str], statement: Sequence[str]) -> bool:
    """From the first word on, which both share. The earliest place of a word leaves most places to the next."""
    at = 0
    for word in said[1:]:
        at += 1
        while at < len(statement) and statement[at] != word:
            if any(map(str.isdigit, statement[at])):
                return False
            at += 1
        if at == len(statement):
            return False
    return True
