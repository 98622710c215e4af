"""Which of our two languages a text is in, by the scripts of its letters.

A rule, not a model: shop texts are short (a search has two words), where trained identifiers guess. Latin script is
taken for English, so French or German reads as English too; Japanese and other scripts are unknown.
"""

from __future__ import annotations

import re
from typing import Literal

Language = Literal["en", "zh", "mixed", "unknown"]

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
_LATIN_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]+")
_LETTER_RUN = re.compile(r"[^\W\d_]+")
_KANA = re.compile(r"[\u3040-\u30ff]")
# Below a third the smaller language is names in a sentence ("我想买一双 Fernhill 跑鞋"), from there on a mixture.
_MIXED_FROM = 1 / 3


def identify_language(text: str) -> Language:
    """en, zh, mixed (both have a third or more), or unknown (no letters, or mostly another script).

    A Chinese character weighs as much as a Latin word: both are about one unit of meaning.
    """
    han = len(_HAN.findall(text))
    latin = len(_LATIN_WORD.findall(text))
    other = _other_letters(text)
    if _KANA.search(text):
        han, other = 0, other + han
    known = han + latin
    if known == 0 or other > known:
        return "unknown"
    smaller = min(han, latin) / known
    if smaller >= _MIXED_FROM:
        return "mixed"
    return "zh" if han > latin else "en"


def _other_letters(text: str) -> int:
    """Words of a third script; in scripts without spaces a run counts as one."""
    rest = _LATIN_WORD.sub(" ", _HAN.sub(" ", text))
    return len(_LETTER_RUN.findall(rest))
