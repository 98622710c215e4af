"""The bot's own sentences, in both languages, from the readable file beside this module."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime
from importlib import resources

from rapport.ops.errors import ConfigurationError
from services.chatbot.domain.languages import SPOKEN, Language


class Phrases:
    """What to say, by name and language, with slots filled."""

    def __init__(self, texts: Mapping[str, Mapping[str, str]]) -> None:
        """`texts`: language → template, by name. Raises `ConfigurationError` for one that lacks a language."""
        for name, by_language in texts.items():
            for language in SPOKEN:
                if not by_language.get(language):
                    raise ConfigurationError(f"has no {language} text", field=f"phrases.{name}")
        self._texts = texts

    @classmethod
    def load(cls) -> Phrases:
        source = resources.files("services.chatbot.domain").joinpath("phrases.toml")
        return cls(tomllib.loads(source.read_text(encoding="utf-8")))

    def say(self, name: str, language: Language, **slots: object) -> str:
        return self._texts[name][language].format(**slots)


def day(moment: datetime, language: Language) -> str:
    """22 November 2026, or 2026年11月22日. The day in UTC, as the event gives it."""
    if language == "zh":
        return f"{moment.year}年{moment.month}月{moment.day}日"
    return f"{moment.day} {moment:%B} {moment.year}"
