"""Which of some things a text names: by the words that only one of them has, typing errors forgiven."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from rapport.text.normalise import normalise
from services.chatbot.domain.words import product_words

# From this length on a word may have a typing error, and how alike the two must be then (percent).
_FUZZY_FROM, _ALIKE = 5, 84
# Two letters in each other's place are seen from this length on.
_SWAP_FROM = 4
# Words that stand in many names and mean none.
_VAGUE = frozenset(["item", "product", "thing", "order", "size", "color", "colour", "new", "one", "pair", "set"])


def words_of(*texts: str) -> frozenset[str]:
    return frozenset(word for text in texts for word in product_words(normalise(text)) if word not in _VAGUE)


def named(text: str, things: Mapping[str, frozenset[str]], kinds: Mapping[str, str] | None = None) -> list[str]:
    """Keys of the things that `text` names, in their own order.

    A word that one thing alone has decides for it. Only when there is none, shared words count, and then all things
    that have the most of them come back: the caller asks which. Of several things of one kind (`kinds`, by key) only
    those are meant that have the most words of their own: of two kettles, the one told by size and colour.
    """
    surely = surely_named(text, things, kinds)
    if surely:
        return surely
    hits = _hits(text, things)
    most = max((len(words) for words in hits.values()), default=0)
    return [key for key, words in hits.items() if most and len(words) == most]


def surely_named(text: str, things: Mapping[str, frozenset[str]], kinds: Mapping[str, str] | None = None) -> list[str]:
    """As `named`, by words that one thing alone has."""
    spread, hits = Counter(word for words in things.values() for word in words), _hits(text, things)
    own = {key: sum(spread[word] == 1 for word in words) for key, words in hits.items()}
    kinds = kinds or {}
    best = dict[str, int]()
    for key, count in own.items():
        best[kinds.get(key, key)] = max(best.get(kinds.get(key, key), 0), count)
    return [key for key, count in own.items() if count and count == best[kinds.get(key, key)]]


def _hits(text: str, things: Mapping[str, frozenset[str]]) -> dict[str, set[str]]:
    said = words_of(text)
    return {key: {word for word in words if _among(word, said)} for key, words in things.items()}


def _among(word: str, said: Iterable[str]) -> bool:
    if word in said:
        return True
    if not word.isascii() or word.isdigit():
        return False
    if any(
        sorted(other) == sorted(word) and OSA.distance(other, word) == 1 for other in said if len(word) >= _SWAP_FROM
    ):
        return True
    return len(word) >= _FUZZY_FROM and any(
        len(other) >= _FUZZY_FROM - 1 and fuzz.ratio(word, other) >= _ALIKE for other in said
    )
