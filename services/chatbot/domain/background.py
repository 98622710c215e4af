"""Unrelated passages: what a question is compared with to know how near "not near" is."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources


class Background:
    """By language; a language without its own takes all."""

    def __init__(self, texts: Mapping[str, Sequence[str]]) -> None:
        self._texts = {language: tuple(listed) for language, listed in texts.items()}

    @classmethod
    def load(cls) -> Background:
        """From the readable file beside this module."""
        source = resources.files("services.chatbot.domain").joinpath("background.toml")
        return cls(tomllib.loads(source.read_text(encoding="utf-8")))

    def languages(self) -> tuple[str, ...]:
        return tuple(self._texts)

    def of(self, language: str) -> tuple[str, ...]:
        return self._texts.get(language) or self.all()

    def all(self) -> tuple[str, ...]:
        return tuple(text for listed in self._texts.values() for text in listed)
