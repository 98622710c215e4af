"""data/articles/*.yaml → help articles, one event a topic and language."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from rapport.events.knowledge import ArticleUpserted
from services.demo.adapters.files import DATA, FileModel, read_all
from services.demo.domain.goods import LANGUAGES


class _Version(FileModel):
    title: str
    body: str


class _Topic(FileModel):
    kind: Literal["article", "policy", "faq"]
    en: _Version
    zh: _Version


class _ArticlesFile(FileModel):
    tags: tuple[str, ...]
    topics: dict[str, _Topic]


def load_articles(data: Path = DATA) -> list[ArticleUpserted]:
    """Both versions of every topic, with the topic as `translation_of`. Raises `ConfigurationError`."""
    return [
        ArticleUpserted(
            article_id=f"help-{topic_id}-{language}",
            language=language,
            title=version.title,
            body=version.body.strip(),
            kind=topic.kind,
            translation_of=f"help-{topic_id}",
            tags=file.tags,
        )
        for _, file in read_all(data / "articles", _ArticlesFile)
        for topic_id, topic in file.topics.items()
        for language, version in zip(LANGUAGES, (topic.en, topic.zh), strict=True)
    ]
