"""Help articles (topic knowledge.v1, compacted); a null value withdraws the article."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from rapport.events.base import Event, Id
from rapport.events.catalog import Language


class ArticleUpserted(Event):
    """An article, a policy, or a question with its answer, whole and in one language."""

    event_name: ClassVar[str] = "article_upserted"
    article_id: Id
    language: Language
    title: Annotated[str, Field(min_length=1)]
    """For a FAQ: the question."""
    body: Annotated[str, Field(min_length=1, max_length=100_000)]
    """Plain text or Markdown."""
    kind: Literal["article", "policy", "faq"] = "article"
    translation_of: Id | None = None
    """The id shared by all language versions."""
    tags: tuple[str, ...] = ()
