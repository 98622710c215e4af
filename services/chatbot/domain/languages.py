"""Which language the bot answers in."""

from __future__ import annotations

from typing import Literal

from rapport.text.language import identify_language

Language = Literal["en", "zh"]
SPOKEN: tuple[Language, ...] = ("en", "zh")


def reply_language(text: str, hint: str, before: str, default: Language) -> Language:
    """The caller's hint, else the text's own language, else the one spoken before.

    A mixture is answered in Chinese: who writes it reads both, and English words in a Chinese sentence are the rule.
    """
    found = identify_language(text)
    detected = "zh" if found == "mixed" else found
    for wanted in (base(hint), detected, base(before)):
        if wanted in SPOKEN:
            return wanted
    return default


def unspoken(text: str) -> bool:
    """Whether the text is in a script that neither of our languages is written in."""
    return identify_language(text) == "unknown" and any(letter.isalpha() for letter in text)


def base(language: str) -> str:
    """zh of zh-CN."""
    return language.split("-", maxsplit=1)[0].lower()
