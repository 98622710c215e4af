"""The customer's language, and the tone of what the customer says."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from rapport.text.language import identify_language

_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
# Reviews that make the mood: enough to be steady, few enough to turn within a season.
_MAX_MOODS = 10


@dataclass(slots=True)
class Speech:
    locale: str = ""
    """BCP 47, of the newest event that told one."""
    locale_at: int = 0
    texts: dict[str, int] = field(default_factory=dict)
    """How many texts were in which language (en, zh)."""
    moods: list[tuple[int, float]] = field(default_factory=list)
    """Event time and score (-1 to 1) of the newest reviews, oldest first."""

    def hear(self, locale: str | None, said: str, at: int) -> None:
        """Learns from one event. A locale that is not BCP 47 tells nothing."""
        tag = (locale or "").strip().replace("_", "-")
        if _TAG.fullmatch(tag) and at >= self.locale_at:
            self.locale, self.locale_at = tag, at
        found = identify_language(said) if said else "unknown"
        if found in ("en", "zh"):
            self.texts[found] = self.texts.get(found, 0) + 1

    def judge(self, score: float, at: int) -> None:
        """Takes the score of one review."""
        self.moods = sorted([*self.moods, (at, score)])[-_MAX_MOODS:]

    def join(self, other: Speech) -> None:
        """Adds what the same person said under another id."""
        if other.locale and other.locale_at > self.locale_at:
            self.locale, self.locale_at = other.locale, other.locale_at
        for name, count in other.texts.items():
            self.texts[name] = self.texts.get(name, 0) + count
        self.moods = sorted([*self.moods, *other.moods])[-_MAX_MOODS:]

    @property
    def language(self) -> str | None:
        """The locale, which the customer or the shop has chosen; else the language most texts were in."""
        return self.locale or max(self.texts, key=lambda name: (self.texts[name], name), default=None)

    @property
    def mood(self) -> float | None:
        """Mean of the newest scores."""
        return sum(score for _, score in self.moods) / len(self.moods) if self.moods else None
