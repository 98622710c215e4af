"""The rails' patterns, from the readable file beside this module."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Literal

from services.chatbot.domain.understanding import plain_form

Kind = Literal["injection", "abuse", "threat", "anger", "unsafe"]


class Words:
    """Which kinds of words a text has."""

    def __init__(self, read: Mapping[Kind, Mapping[str, list[str]]]) -> None:
        self._patterns = {kind: [re.compile(one) for one in told["patterns"]] for kind, told in read.items()}

    @classmethod
    def load(cls) -> Words:
        text = resources.files(__package__).joinpath("words.toml").read_text("utf-8")
        return cls(tomllib.loads(text))  # type: ignore[arg-type]

    def has(self, kind: Kind, text: str) -> bool:
        return self.count(kind, text) > 0

    def count(self, kind: Kind, text: str) -> int:
        """How many of the kind's patterns occur."""
        plain = plain_form(text)
        return sum(pattern.search(plain) is not None for pattern in self._patterns[kind])

    def without(self, kind: Kind, text: str) -> str:
        """The text without those words."""
        plain = plain_form(text)
        for pattern in self._patterns[kind]:
            plain = pattern.sub(" ", plain)
        return plain
