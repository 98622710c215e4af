"""What the content handlers need from outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rapport.events.catalog import ProductUpserted
from rapport.events.content import ContentPublished


class Products(Protocol):
    """The catalogue as it is now."""

    def named(self, tenant: str, product_ids: Sequence[str]) -> dict[str, ProductUpserted]:
        """Those of `product_ids` that are in the catalogue."""


class Writer(Protocol):
    """The language model."""

    async def write(self, turns: Sequence[tuple[str, str]], *, seed: int) -> tuple[str, str]:
        """Text, and the model's id@revision. Raises `RetryableError` when the model cannot be asked now."""


class Published(Protocol):
    """What was written, by tenant and request, so that the same request gets the same copy."""

    async def get(self, tenant: str, request_id: str) -> ContentPublished | None: ...
    async def put(self, tenant: str, content: ContentPublished) -> None: ...


class LineCache(Protocol):
    """Recommendation lines by item, need, language and template version."""

    async def get(self, tenant: str, key: str) -> str | None: ...
    async def put(self, tenant: str, key: str, text: str) -> None: ...
