"""How alike two texts are: for duplicates of recent copy, and variants that should differ."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rapport.text.tokens import tokens
from services.content.domain.checking.passage import one_form

_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")


def shingles(text: str) -> frozenset[str]:
    """Words and pairs of words, numbers all alike: the same sentence with another price is the same sentence."""
    words = tokens(_DIGITS.sub("0", one_form(text)))
    return frozenset([*words, *(" ".join(words[at : at + 2]) for at in range(len(words) - 1))])


def likeness(a: frozenset[str], b: frozenset[str]) -> float:
    """Jaccard's share of common shingles, 0 to 1."""
    return len(a & b) / len(a | b) if a or b else 1.0


def difference(text: str, others: Iterable[str]) -> float:
    """1 less the likeness to the nearest of `others`; 1 when there are none."""
    own = shingles(text)
    return 1 - max((likeness(own, shingles(other)) for other in others), default=0.0)
