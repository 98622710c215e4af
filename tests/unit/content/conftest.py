"""Fakes and facts for copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from rapport.events.catalog import ProductUpserted
from rapport.events.content import ContentPublished, ContentRequested
from rapport.ops.errors import UnavailableError
from services.content.domain.budget import RateBudget
from services.content.domain.checks import Checker
from services.content.domain.templates import Templates
from services.content.handlers import ContentHandlers
from services.content.settings import CopySettings
from services.content.writing import Copywriter

SHOE = ProductUpserted(
    product_id="p-1",
    title={"en": "Fernhill Trail Runner 2", "zh": "云岭越野跑鞋二代"},
    description={"en": "Grip for wet ground, with a 6 mm drop.", "zh": "湿地也防滑，落差6毫米。"},
    brand="Fernhill",
    price=Decimal("129.00"),
    currency="EUR",
    stock=4,
)


@dataclass
class Scripted:
    """A writer that says its lines in turn; an exception among them is raised."""

    lines: list[str | Exception]
    asked: list[Sequence[tuple[str, str]]] = field(default_factory=list)

    async def write(self, turns: Sequence[tuple[str, str]], *, seed: int) -> tuple[str, str]:
        self.asked.append(turns)
        line = self.lines.pop(0) if self.lines else UnavailableError("no more lines")
        if isinstance(line, Exception):
            raise line
        return line, "scripted@1"


@dataclass
class InMemory:
    """Both `Published` and `LineCache`."""

    kept: dict[tuple[str, str], object] = field(default_factory=dict)

    async def get(self, tenant: str, key: str):  # type: ignore[no-untyped-def]
        return self.kept.get((tenant, key))

    async def put(self, tenant: str, key, value=None):  # type: ignore[no-untyped-def]
        if isinstance(key, ContentPublished):
            key, value = key.request_id, key
        self.kept[(tenant, key)] = value


class Shelf:
    def named(self, tenant: str, product_ids: Sequence[str]) -> dict[str, ProductUpserted]:
        return {"p-1": SHOE} if "p-1" in product_ids else {}


def handlers(*lines: str | Exception, budget: float = 10) -> tuple[ContentHandlers, Scripted]:
    own, writer = CopySettings(), Scripted(list(lines))
    copywriter = Copywriter(Templates.load(own.templates), Checker.load(own.rules), writer, 2, frozenset({"en"}))
    return ContentHandlers(copywriter, Shelf(), InMemory(), InMemory(), RateBudget(budget), "en"), writer


def brief(**changes: object) -> ContentRequested:
    fields: dict[str, object] = {
        "request_id": "q-1",
        "kind": "campaign",
        "channel": "email",
        "language": "en",
        "product_ids": ["p-1"],
        "discount_percent": "20",
        "ends_at": datetime(2026, 3, 12, tzinfo=UTC),
    }
    return ContentRequested.model_validate({**fields, **changes})


@pytest.fixture
def checker() -> Checker:
    return Checker.load(CopySettings().rules)
