"""One line for each top item of a recommendation: at once from the cache or a template, by the model when it has
time.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from rapport.bus.messages import Message, Outgoing
from rapport.events.catalog import ProductUpserted
from rapport.events.content import ContentRequested, Variant
from rapport.events.recommendations import RecommendationMade
from rapport.ops.errors import ConfigurationError, InvalidRequest
from rapport.text.language import identify_language
from services.content.domain.facts import Facts, facts_of
from services.content.domain.prompts import PROMPT_VERSION
from services.content.handlers.outgoing import content_of, published
from services.content.ports import LineCache, Products
from services.content.writing import Copywriter, Task

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A line to write. `key`: changes with everything that the line says, so that a new price never meets an old
    line.
    """

    tenant: str
    key: str
    task: Task
    suffix: str
    """Of the content's id: the second item's line of a recommendation is not the first's."""


@dataclass(frozen=True, slots=True)
class LineHandlers:
    """`later`: lines that the model may word when it has time; when it is full they stay as they are."""

    copywriter: Copywriter
    products: Products
    cache: LineCache
    later: asyncio.Queue[Wanted]
    default_language: str
    items: int = 1
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def on_recommendations(self, messages: Sequence[Message]) -> Sequence[Outgoing]:
        """Handler of recommendations.v1: lines for the newest recommendation of each customer. Waits for no model."""
        newest = {(message.envelope.tenant, message.key): message for message in messages}
        wanted = [
            line
            for (tenant, _), message in newest.items()
            if isinstance(message.event, RecommendationMade)
            for line in self._wanted(message.event, tenant)
        ]
        by_tenant: dict[str, list[Wanted]] = {}
        for line in wanted:
            by_tenant.setdefault(line.tenant, []).append(line)
        outgoing = []
        for tenant, lines in by_tenant.items():
            known = await self.cache.get_many(tenant, [line.key for line in lines])
            for line, stored in zip(lines, known, strict=True):
                variant = Variant.model_validate_json(stored) if stored else await self._at_once(line)
                if variant is not None:
                    outgoing.append(published(content_of(line.task.brief, [variant], None, suffix=line.suffix), tenant))
        return outgoing

    async def write(self, line: Wanted) -> bool:
        """Has the model word `line` for the next time. True: it did."""
        written = await self._variant(line, model=True)
        if written is None or written.author != "model":
            return False
        await self.cache.put(line.tenant, line.key, written.model_dump_json())
        return True

    async def _at_once(self, line: Wanted) -> Variant | None:
        variant = await self._variant(line, model=False)
        if variant is not None:
            await self.cache.put(line.tenant, line.key, variant.model_dump_json())
            if line.task.facts.code in self.copywriter.languages and not self.later.full():
                self.later.put_nowait(line)
        return variant

    async def _variant(self, line: Wanted, *, model: bool) -> Variant | None:
        task = line.task
        try:
            facts = self.copywriter.checker.screened(task.facts)
            task = Task(task.brief, facts, need=task.need, model=model)
            variants, _ = await self.copywriter.variants(task, 1)
        except (InvalidRequest, ConfigurationError) as error:
            # Nobody asked for this line, so nobody would mend its dead letter: the recommendation stands without it.
            log.warning("no line", product_id=task.brief.product_ids[0], error=str(error))
            return None
        return variants[0] if variants else None

    def _wanted(self, event: RecommendationMade, tenant: str) -> list[Wanted]:
        tops = event.items[: self.items]
        products = self.products.named(tenant, [item.product_id for item in tops])
        lines = (self._line(event, at, products, tenant) for at in range(len(tops)))
        return [line for line in lines if line is not None]

    def _line(
        self, event: RecommendationMade, at: int, products: dict[str, ProductUpserted], tenant: str
    ) -> Wanted | None:
        item = event.items[at]
        if item.product_id not in products:
            return None  # delisted since; the next recommendation has another
        need = next((reason.subject for reason in item.reasons if reason.kind == "need"), "")
        brief = ContentRequested(
            request_id=event.recommendation_id,
            kind="recommendation",
            channel="banner",
            language=_language(item.reasons[0].text if item.reasons else "", self.default_language),
            product_ids=(item.product_id,),
            customer_id=event.customer_id,
            recommendation_id=event.recommendation_id,
        )
        try:
            facts = facts_of(brief, products, self.clock())
        except InvalidRequest as error:
            log.warning("no line", product_id=item.product_id, error=str(error))
            return None
        entries = self.copywriter.templates.fitting(brief.kind, brief.channel, facts, frames=False, need=need)
        versions = ",".join(f"{entry.id}@{entry.version}" for entry in entries)
        key, suffix = _key(facts, need, f"{versions}/{PROMPT_VERSION}"), f"{at}:content" if at else "content"
        return Wanted(tenant, key, Task(brief, facts, need=need), suffix)


def _key(facts: Facts, need: str, versions: str) -> str:
    product = facts.products[0]
    told = [
        product.product_id,
        facts.language,
        need,
        product.name,
        product.shown(product.price),
        product.description,
        versions,
    ]
    return hashlib.sha256("\0".join(told).encode()).hexdigest()[:32]


def _language(text: str, default: str) -> str:
    found = identify_language(text)
    return found if found in {"en", "zh"} else default
