"""What the edge needs from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

from rapport.events.catalog import ProductUpserted

Json = dict[str, Any]


class Peers(Protocol):
    """The services behind the edge. Each raises the error tree's branch for what its peer answered."""

    async def profile(self, tenant: str, customer_id: str) -> Json: ...
    async def explain_profile(self, request: Json) -> Json: ...
    async def recommend(self, request: Json) -> Json: ...
    async def rank(self, request: Json) -> Json: ...
    async def similar(self, request: Json) -> Json: ...
    async def trending(self, request: Json) -> Json: ...
    async def create_content(self, brief: Json) -> Json: ...
    async def content(self, call: str, request: Json) -> Json:
        """A call of ContentService by its name; empty fields are there in the answer."""

    def converse(self, request: Json) -> AsyncIterator[Json]: ...


class Products(Protocol):
    """The catalogue as it is now."""

    def find(self, tenant: str, text: str, limit: int) -> list[ProductUpserted]: ...
    def named(self, tenant: str, product_ids: Sequence[str]) -> dict[str, ProductUpserted]: ...


class Live(Protocol):
    """What is passing over the topics."""

    def watch(self) -> AsyncIterator[Json]: ...
    async def counts(self) -> dict[str, int]: ...
