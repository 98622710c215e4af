"""Articles cut into the passages that are searched and quoted."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from rapport.events.knowledge import ArticleUpserted
from services.chatbot.domain.languages import base

_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*\s*$")
# Characters of one passage. Some 300 English or 500 Chinese tokens: within the encoder's window of 512 beside its
# heading, and short enough that one passage has one subject.
_LONGEST = 900


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of one article. `text` stands in the article's body word for word, from character `start`."""

    article_id: str
    group: str
    """Shared by all language versions of the article."""
    language: str
    """Base language: en, zh, …"""
    title: str
    heading: str
    text: str
    start: int

    @property
    def reference(self) -> str:
        """What the passage is about: the article's title (for a FAQ, the question) and the heading above it."""
        return f"{self.title}: {self.heading}" if self.heading else self.title


def passages(article: ArticleUpserted) -> list[Passage]:
    """At every heading a new passage, and within long sections at line breaks. An article without text has none."""
    cut: list[Passage] = []
    heading, begin, at = "", 0, 0

    def close(end: int) -> None:
        text = article.body[begin:end]
        start = begin + len(text) - len(text.lstrip())
        if text.strip():
            group, language = article.translation_of or article.article_id, base(article.language)
            cut.append(Passage(article.article_id, group, language, article.title, heading, text.strip(), start))

    for line in article.body.splitlines(keepends=True):
        found = _HEADING.match(line.rstrip("\r\n"))
        if found or (at > begin and at + len(line) - begin > _LONGEST):
            close(at)
            begin = at
        at += len(line)
        if found:
            heading, begin = found.group(1), at
    close(at)
    return cut


def content_key(text: str) -> str:
    """Names a text by what it says: equal texts share one vector, a changed text gets a new one."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]
