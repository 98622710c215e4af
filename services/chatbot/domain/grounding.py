"""Whether a generated sentence is supported by the passage it was made from."""

from __future__ import annotations

import re

from rapport.text.sentences import split_sentences
from rapport.text.tokens import tokens
from services.chatbot.domain.words import content_words

# Share of a sentence's content words that the passage must have. A paraphrase swaps a word or two; below two thirds
# SmolLM2-135M's sentences were inventions.
_SHARE = 0.67
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NEGATION = frozenset(
    {"not", "no", "never", "cannot", "can't", "don't", "doesn't", "won't", "isn't", "aren't", "without"}
)


class SupportedSentences:
    """Takes a text piece by piece and lets the supported sentences through, each once it is whole."""

    def __init__(self, passage: str) -> None:
        self._passage = passage
        self._waiting = ""
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
            if not supported(sentence.text, self._passage):
                self.dropped += 1
                continue
            shown.append(f" {sentence.text}" if self.text else sentence.text)
            self.text += shown[-1]
        if ready:
            self._waiting = self._waiting[ready[-1].end :]
        return shown


def supported(sentence: str, passage: str) -> bool:
    """True when every number, nearly every content word and the negation of `sentence` stand in `passage`.

    Strict on purpose: a sentence that is dropped costs a quotation instead, one that is let through may be a lie.
    """
    if not set(_NUMBER.findall(sentence)) <= set(_NUMBER.findall(passage)):
        return False
    said, known = set(content_words(sentence)) - _NEGATION, set(content_words(passage))
    if not said:
        return False
    if _NEGATION & set(tokens(sentence)) and not _NEGATION & set(tokens(passage)):
        return False
    return len(said & known) / len(said) >= _SHARE
