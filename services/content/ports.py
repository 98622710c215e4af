"""What the content handlers need from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from rapport.events.catalog import ProductUpserted
from rapport.events.content import ContentPublished, ContentRequested
from services.content.domain.templates import TemplateEntry


class Products(Protocol):
    """The catalogue as it is now."""

    def named(self, tenant: str, product_ids: Sequence[str]) -> dict[str, ProductUpserted]:
        """Those of `product_ids` that are in the catalogue."""


class Writer(Protocol):
    """The language model."""

    async def write(
        self, turns: Sequence[tuple[str, str]], *, seed: int, pattern: str | None = None
    ) -> tuple[str, str]:
        """Text, of the regular expression `pattern` where the model can be held to one, and the model's id@revision.

        Raises `RetryableError` when the model cannot be asked now.
        """


class Ranking(Protocol):
    """What outcomes say of templates."""

    def ordered(self, brief: ContentRequested, entries: Sequence[TemplateEntry]) -> list[TemplateEntry]:
        """Best first; those without outcomes stay in their order."""


class Published(Protocol):
    """What was written, by tenant and request, so that the same request gets the same copy."""

    async def get(self, tenant: str, request_id: str) -> ContentPublished | None: ...
    async def put(self, tenant: str, content: ContentPublished) -> None: ...


class Recent(Protocol):
    """Texts written lately for the same products, kind, channel and language."""

    async def texts(self, tenant: str, key: str) -> tuple[str, ...]: ...
    async def add(self, tenant: str, key: str, texts: Sequence[str]) -> None: ...


class LineCache(Protocol):
    """Recommendation lines by item, need, language and template version."""

    async def get_many(self, tenant: str, keys: Sequence[str]) -> list[str | None]: ...
    async def put(self, tenant: str, key: str, text: str) -> None: ...


class Arms(Protocol):
    """Which variation a customer of a bandit keeps."""

    async def keep(self, tenant: str, arms: Mapping[tuple[str, str], str]) -> list[str]:
        """Stores (experiment, customer) → variation where nothing is stored; answers what holds, in the same order."""


class Decisions(Protocol):
    """Who was first to decide on a draft."""

    async def decide(self, tenant: str, content_id: str, decision: str) -> str:
        """The decision that stands: `decision`, or what was decided before."""
