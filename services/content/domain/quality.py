"""How well a text reads, from 0 to 1, by what can be seen without a model."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapport.text.sentences import split_sentences
from rapport.text.tokens import tokens

_DANGLING = re.compile(
    r"\b(?:and|or|the|a|an|of|with|for|to|in|your|our|but)[.!?]?$|[的和与在是为,，、:：]$", re.IGNORECASE
)
_SCARS = re.compile(r"\s[,.;!?](?!\w)|[,;]{2,}|\.{2}(?!\.)|\(\s*\)|[,，]\s*[.。]|[.。][.。]|\s{2,}|^[,.;:，。；：]")
_PAIRS = (("(", ")"), ("“", "”"), ("（", "）"), ("「", "」"))
# Words in a sentence; beyond it few read to the end (plain-language guides put the limit at 25 to 40).
_LONG_SENTENCE = 40


def fluency(text: str, *, whole: bool = True) -> float:
    """1 less a penalty for each thing a reader stumbles over. `whole`: sentences that must end (a subject line need
    not).

    0.3 for an unfinished end and for a repeated phrase, 0.2 for scars of punctuation, open brackets, an overlong
    sentence; up to 0.2 for words that come again and again; 0.1 for a small letter at the beginning.
    """
    stripped = text.strip()
    if not stripped:
        return 0.0
    words = tokens(stripped)
    penalty = 0.3 * bool(_DANGLING.search(stripped)) + 0.2 * bool(_SCARS.search(stripped))
    if whole and stripped[-1] not in ".!?。！？…)”）T" and not stripped[-1].isdigit():
        penalty += 0.1
    penalty += 0.2 * any(stripped.count(left) != stripped.count(right) for left, right in _PAIRS)
    triples = [tuple(words[at : at + 3]) for at in range(len(words) - 2)]
    penalty += 0.3 * (len(set(triples)) < len(triples) or _stutters(words))
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
