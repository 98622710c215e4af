"""How well a text reads, from 0 to 1, by what can be seen without a model."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from rapport.text.sentences import split_sentences
from rapport.text.tokens import tokens

_DANGLING = re.compile(
    r"\b(?:and|or|the|a|an|of|with|for|to|in|your|our|but)[.!?]?$|[的和与在是为,，、:：]$", re.IGNORECASE
)
_SCARS = re.compile(r"\s[,.;!?](?!\w)|[,;]{2,}|\.{2}(?!\.)|\(\s*\)|[,，]\s*[.。]|[.。][.。]|\s{2,}|^[,.;:，。；：]")
# What small models write where a word is missing or too many.
_CLUMSY = re.compile(
    "|".join((  # noqa: FLY002 - one reason a line
        # "A Notebooks is", "A winter coats."
        r"\b[Aa]n? (?:[\w-]+ ){0,2}(?!(?:canvas|series|gas|lens)\b)[\w-]+(?<![s'uis])s(?:[.!,]| (?:is|are|was)\b)",
        r"\b(?:is|are|at) an? \d+(?:\.\d+)?% off",
        r"\b[Aa]n? (?:\w+,? ){0,4}(?:product|item)s?\b",
        r"\b(?:in|(?<!instead )of|on|with|and|an?) ?[€£$¥]\d",
        r"[a-z][€£¥]\d",
        # "for those looking €289", "sizes 30% off": a figure follows a verb, a preposition or a comma.
        r"\b(?!(?:for|at|now|is|are|only|just|to|was|of|save[sd]?|costs?|price|than|from|by|so|and)\b)[a-z]+ [€£¥]\d",
        r"\b(?!(?:at|now|is|are|with|for|get|enjoy|save|takes?|taken|has|have|the|and|you)\b)[a-z]+ \d+(?:\.\d+)?% off",
        r"[¥€]\d[\d.]*元|[、不的和与][¥€]\d",
        r"\btake a look (?!at\b|around\b|inside\b|back\b|here\b)",
        r"\b(?:a|an|the|is|are|of|at|with|and|or|your|our),",
        r"\b(?:now|for) (?:for|now)\b|\bnow (?:the|on|in|that)\b",
        r"\b(?i:you are welcome)\b",
    ))
)  # fmt: skip
_PAIRS = (("(", ")"), ("“", "”"), ("（", "）"), ("「", "」"))
# Words in a sentence; beyond it few read to the end (plain-language guides put the limit at 25 to 40).
_LONG_SENTENCE = 40


def fluency(text: str, *, whole: bool = True) -> float:
    """1 less a penalty for each thing a reader stumbles over. `whole`: sentences that must end (a subject line need
    not).

    0.3 for an unfinished end, a repeated phrase, clumsy grammar and scars of punctuation; 0.2 for open brackets and an
    overlong sentence; up to 0.2 for words that come again and again; 0.1 for a small letter at the beginning.
    """
    stripped = text.strip()
    if not stripped:
        return 0.0
    words = tokens(stripped)
    penalty = 0.3 * sum(bool(pattern.search(stripped)) for pattern in (_DANGLING, _SCARS, _CLUMSY))
    if whole and stripped[-1] not in ".!?。！？…)”）T" and not stripped[-1].isdigit():
        penalty += 0.1
    penalty += 0.2 * any(stripped.count(left) != stripped.count(right) for left, right in _PAIRS)
    triples = [tuple(words[at : at + 3]) for at in range(len(words) - 2)]
    penalty += 0.3 * (len(set(triples)) < len(triples) or _stutters(words) or _says_again(stripped))
    longest = max((len(tokens(sentence.text)) for sentence in split_sentences(stripped)), default=0)
    penalty += 0.2 * (longest > _LONG_SENTENCE)
    if words:
        penalty += (
            max(0.0, 0.2 * (1 - len(set(words)) / len(words) / 0.6)) if len(set(words)) < 0.6 * len(words) else 0.0
        )
    penalty += 0.1 * (stripped[0].isascii() and stripped[0].islower())
    return round(max(0.0, 1 - penalty), 3)


def _stutters(words: Sequence[str]) -> bool:
    """Whether a phrase of up to four words comes twice in a row."""
    return any(
        words[at : at + size] == words[at + size : at + 2 * size]
        for size in range(1, 5)
        for at in range(len(words) - 2 * size + 1)
    )


def _says_again(text: str) -> bool:
    """Whether two words in a row come twice in one sentence: "The Alder Trio is Alder Trio sunglasses"."""
    for sentence in split_sentences(text):
        words = [word for word in tokens(sentence.text) if len(word) > 3 or not word.isascii()]
        pairs = [pair for pair in itertools.pairwise(words) if all(word.isascii() for word in pair)]
        if len(set(pairs)) < len(pairs):
            return True
    return False
