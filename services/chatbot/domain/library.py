"""The shelves of all tenants."""

from __future__ import annotations

from services.chatbot.domain.background import Background
from services.chatbot.domain.shelf import Shelf


class Library:
    """One shelf a tenant, made when the first article or question comes."""

    def __init__(self, background: Background) -> None:
        self._background = background
        self._shelves: dict[str, Shelf] = {}

    def of(self, tenant: str) -> Shelf:
        if tenant not in self._shelves:
            self._shelves[tenant] = Shelf(self._background)
        return self._shelves[tenant]

    def tenants(self) -> list[str]:
        return list(self._shelves)
