"""What each channel can carry: characters, SMS segments, links, the way out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rapport.ops.errors import ConfigurationError
from services.content.domain.checking.passage import one_form
from services.content.domain.checking.problem import Problem
from services.content.domain.facts import Facts

# GSM 03.38 (3GPP TS 23.038, 6.2.1): the basic alphabet, and the characters that cost two places.
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWO = frozenset("^{}\\[~]|€\f")
# No word boundaries: Chinese letters before an address would hide it.
_LINK = re.compile(
    r"(?:https?://|www\.)[^\s，。！）)]+|(?<![a-z0-9.-])[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|net|org|cn|shop|store|io|co|de|fr|uk|"
    r"xyz|top|link|ly|me|app|site|online)(?:/[^\s，。]*)?(?![a-z0-9])|(?<![a-z0-9.-])[a-z0-9-]+\.[a-z]{2,6}/[^\s，。]+",
    re.IGNORECASE,
)


class Channel(BaseModel):
    """One channel as written in lexicon/channels.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_characters: int | None = None
    max_segments: int | None = None
    """SMS only: texts that the message is sent as."""
    subject_characters: int | None = None
    links: bool = True
    """Whether the brief's link may stand in it."""
    opt_out: dict[str, str] = Field(default_factory=dict)
    """By language: the line that every marketing message must hold; none: the channel has its own way out."""
    source: str = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Channels:
    by_name: dict[str, Channel]

    @classmethod
    def load(cls, path: Path) -> Channels:
        """Raises `ConfigurationError` naming the file and the channel."""
        try:
            entries = yaml.safe_load(path.read_text(encoding="utf-8"))
            return cls({name: Channel.model_validate(entry) for name, entry in entries.items()})
        except (ValidationError, yaml.YAMLError, AttributeError) as error:
            raise ConfigurationError(f"channels cannot be read: {error}", field=str(path)) from error

    def opt_out(self, kind: str, channel: str, language: str) -> str:
        """The line that a marketing message of this kind must hold; "" for none."""
        if kind in {"product_description", "subject_line"}:
            return ""
        return self.by_name[channel].opt_out.get(language, "")

    def problems(self, text: str, facts: Facts, *, kind: str, channel: str) -> Iterator[Problem]:
        """`text` as it would be sent."""
        limits = self.by_name[channel]
        if not text.strip():
            yield Problem("empty", "is empty")
            return
        limit = limits.max_characters
        if kind == "subject_line" and limits.subject_characters:
            limit = min(limit or limits.subject_characters, limits.subject_characters)
        if limit is not None and len(text) > limit:
            what = "a subject line" if kind == "subject_line" else channel
            yield Problem("length", f"{len(text)} characters, at most {limit} fit {what}")
        if limits.max_segments is not None and segments(text) > limits.max_segments:
            most = limits.max_segments
            yield Problem(
                "length", f"{segments(text)} SMS segments ({len(text)} characters, {encoding(text)}), at most {most}"
            )
        way_out = self.opt_out(kind, channel, facts.code)
        if way_out and one_form(way_out) not in one_form(text):
            yield Problem("opt_out", f"lacks the way out: {way_out!r}")
        for match in _LINK.finditer(text):
            if not facts.link or match.group().rstrip(".,") not in {facts.link, facts.link.removeprefix("https://")}:
                yield Problem("link", f"a link that is not in the brief: {match.group()}", match.group())
            elif not limits.links:
                yield Problem("link", f"{channel} holds no links", match.group())


def encoding(text: str) -> str:
    """ "GSM-7" or "UCS-2": what an SMS of this text is sent in."""
    return "GSM-7" if all(c in _GSM or c in _GSM_TWO for c in text) else "UCS-2"


def segments(text: str) -> int:
    """SMS parts: 160 places alone or 153 each in GSM-7, 70 or 67 UTF-16 units in UCS-2 (3GPP TS 23.040, 9.2.3.24.1).

    A character never lies across two parts.
    """
    if not text:
        return 0
    if encoding(text) == "GSM-7":
        return _parts([2 if c in _GSM_TWO else 1 for c in text], 160, 153)
    return _parts([len(c.encode("utf-16-le")) // 2 for c in text], 70, 67)


def _parts(costs: list[int], alone: int, each: int) -> int:
    if sum(costs) <= alone:
        return 1
    parts, used = 1, 0
    for cost in costs:
        if used + cost > each:
            parts, used = parts + 1, 0
        used += cost
    return parts
