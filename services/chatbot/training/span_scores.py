"""How near a span comes to the answer that was wanted: exact match and F1, as SQuAD counts them.

Lower case, without punctuation and English articles (Rajpurkar et al. 2016); Chinese is compared character by
character, as in MLQA (Lewis et al. 2020).
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence

_PUNCTUATION = set(string.punctuation) | set("，。！？；：“”‘’（）《》、·—")
_CHINESE = re.compile(r"[\u3400-\u9fff]")


def score(said: str, answers: Sequence[str], language: str) -> tuple[float, float]:
    """Exact match and F1, the best over the `answers`."""
    ours, wanted = units(said, language), [units(answer, language) for answer in answers]
    return max(float(one == ours) for one in wanted), max(f1(ours, one) for one in wanted)


def f1(said: Sequence[str], wanted: Sequence[str]) -> float:
    """Harmonic mean of the shares of `said` and of `wanted` that both have."""
    common = sum((Counter(said) & Counter(wanted)).values())
    return 2 * common / (len(said) + len(wanted)) if common else float(not said and not wanted)


def units(text: str, language: str) -> list[str]:
    """What is compared: words, or characters in Chinese."""
    plain = "".join(letter for letter in text.lower() if letter not in _PUNCTUATION)
    if language == "zh":
        return [letter for letter in plain if not letter.isspace()]
    return re.sub(r"\b(a|an|the)\b", " ", plain).split()


def language_of(text: str) -> str:
    """zh for a text that has Chinese characters, else en."""
    return "zh" if _CHINESE.search(text) else "en"
