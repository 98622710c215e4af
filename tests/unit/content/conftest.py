"""Fakes and facts for copy."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from rapport.events.catalog import ProductUpserted
from rapport.events.content import ContentPublished, ContentRequested
from rapport.ops.errors import UnavailableError
from services.content.domain.audience import People
from services.content.domain.checks import Checker
from services.content.domain.templates import TemplateEntry, Templates
from services.content.handlers.briefs import BriefHandlers
from services.content.handlers.lines import LineHandlers
from services.content.settings import ContentSection
from services.content.writing import Copywriter

NOW = datetime(2026, 3, 5, tzinfo=UTC)
SHOE = ProductUpserted(
    product_id="p-1",
    title={"en": "Fernhill Trail Runner 2", "zh": "云岭越野跑鞋二代"},
    description={"en": "Grip for wet ground, with a 6 mm drop.", "zh": "湿地也防滑，落差6毫米。"},
    category=("Sports", "Running shoes"),
    brand="Fernhill",
    price=Decimal("129.00"),
    currency="EUR",
    stock=4,
    attributes={"weight": "280 g", "upper": "100% recycled polyester", "colour": "black"},
)
SOCK = ProductUpserted(
    product_id="p-2",
    title={"en": "Fernhill Merino Sock", "zh": "云岭羊毛袜"},
    price=Decimal("19.00"),
    currency="EUR",
    stock=9,
)
_OWN = ContentSection()
CHECKER = Checker.load(_OWN.rules, _OWN.lexicon)
TEMPLATES = Templates.load(_OWN.templates)


@dataclass
class Scripted:
    """A writer that says its lines in turn; an exception among them is raised."""

    lines: list[str | Exception]
    asked: list[Sequence[tuple[str, str]]] = field(default_factory=list)
    patterns: list[str | None] = field(default_factory=list)

    async def write(
        self, turns: Sequence[tuple[str, str]], *, seed: int, pattern: str | None = None
    ) -> tuple[str, str]:
        self.asked.append(turns)
        self.patterns.append(pattern)
        line = self.lines.pop(0) if self.lines else UnavailableError("no more lines")
        if isinstance(line, Exception):
            raise line
        return line, "scripted@1"


@dataclass
class Kept:
    """`Published`, `Recent` and `Decisions` in one."""

    copies: dict[tuple[str, str], ContentPublished] = field(default_factory=dict)
    recent: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    decisions: dict[tuple[str, str], str] = field(default_factory=dict)

    async def get(self, tenant: str, request_id: str) -> ContentPublished | None:
        return self.copies.get((tenant, request_id))

    async def put(self, tenant: str, content: ContentPublished) -> None:
        self.copies[tenant, content.request_id] = content

    async def texts(self, tenant: str, key: str) -> tuple[str, ...]:
        return tuple(self.recent.get((tenant, key), ()))

    async def add(self, tenant: str, key: str, texts: Sequence[str]) -> None:
        self.recent.setdefault((tenant, key), []).extend(texts)

    async def decide(self, tenant: str, content_id: str, decision: str) -> str:
        return self.decisions.setdefault((tenant, content_id), decision)


@dataclass
class Lines:
    """`LineCache`."""

    kept: dict[tuple[str, str], str] = field(default_factory=dict)

    async def get_many(self, tenant: str, keys: Sequence[str]) -> list[str | None]:
        return [self.kept.get((tenant, key)) for key in keys]

    async def put(self, tenant: str, key: str, text: str) -> None:
        self.kept[tenant, key] = text


@dataclass
class KeptArms:
    """`Arms`."""

    kept: dict[tuple[str, str, str], str] = field(default_factory=dict)

    async def keep(self, tenant: str, arms: Mapping[tuple[str, str], str]) -> list[str]:
        return [self.kept.setdefault((tenant, *place), variation) for place, variation in arms.items()]


class AsWritten:
    """`Ranking` without outcomes."""

    def ordered(self, brief: ContentRequested, entries: Sequence[TemplateEntry]) -> list[TemplateEntry]:
        return list(entries)


class Shelf:
    products = {"p-1": SHOE, "p-2": SOCK}

    def named(self, tenant: str, product_ids: Sequence[str]) -> dict[str, ProductUpserted]:
        return {name: self.products[name] for name in product_ids if name in self.products}


def copywriter(writer: Scripted, languages: frozenset[str] = frozenset({"en"})) -> Copywriter:
    return Copywriter(TEMPLATES, CHECKER, writer, AsWritten(), 2, languages)


def handlers(*lines: str | Exception, approval: bool = False) -> tuple[BriefHandlers, Scripted]:
    writer, kept = Scripted(list(lines)), Kept()
    return BriefHandlers(copywriter(writer), Shelf(), People(), kept, kept, approval, lambda: NOW), writer


def line_handlers(*lines: str | Exception, items: int = 1) -> tuple[LineHandlers, Scripted]:
    writer = Scripted(list(lines))
    queue = asyncio.Queue(10)  # type: ignore[var-annotated]
    return LineHandlers(copywriter(writer), Shelf(), Lines(), queue, "en", items, lambda: NOW), writer


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
    return CHECKER
