"""Use cases of the content service: a brief, and a line for a recommendation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from rapport.bus.messages import Message, Outgoing
from rapport.events.content import ContentPublished, ContentRequested, Variant
from rapport.events.recommendations import RecommendationMade
from rapport.ops.errors import InvalidRequest
from rapport.text.language import identify_language
from services.content.domain.budget import RateBudget
from services.content.domain.facts import Facts, facts_of
from services.content.ports import LineCache, Products, Published
from services.content.writing import Copywriter

log = structlog.stdlib.get_logger(__name__)
PUBLISHED = "content.published.v1"


@dataclass(frozen=True, slots=True)
class ContentHandlers:
    """Handlers with their ports."""

    copywriter: Copywriter
    products: Products
    published: Published
    lines: LineCache
    budget: RateBudget
    default_language: str

    async def create(self, brief: ContentRequested, tenant: str) -> ContentPublished:
        """Copy for `brief`. The same request_id gets the same copy. Raises `InvalidRequest` naming what is wrong."""
        known = await self.published.get(tenant, brief.request_id)
        if known is not None:
            return known
        facts = facts_of(brief, self.products.named(tenant, brief.product_ids))
        written = [await self.copywriter.variant(brief, facts, number) for number in range(brief.variants)]
        content = _content(brief, [variant for variant, _ in written], next((m for _, m in written if m), None))
        await self.published.put(tenant, content)
        return content

    async def on_requests(self, messages: Sequence[Message]) -> Sequence[Outgoing]:
        """Handler of content.requests.v1."""
        outgoing = []
        for message in messages:
            if isinstance(message.event, ContentRequested):
                content = await self.create(message.event, message.envelope.tenant)
                outgoing.append(outgoing_of(content, message.envelope.tenant))
        return outgoing

    async def on_recommendations(self, messages: Sequence[Message]) -> Sequence[Outgoing]:
        """Handler of recommendations.v1: one line for the top item of each customer's newest recommendation."""
        newest = {(message.envelope.tenant, message.key): message for message in messages}
        outgoing = []
        for (tenant, _), message in newest.items():
            content = await self._line(message.event, tenant) if message.event else None
            if content is not None:
                outgoing.append(outgoing_of(content, tenant))
        return outgoing

    async def _line(self, event: object, tenant: str) -> ContentPublished | None:
        if not isinstance(event, RecommendationMade) or not event.items:
            return None
        top = event.items[0]
        products = self.products.named(tenant, [top.product_id])
        if not products:
            return None  # delisted since; the next recommendation has another
        need = next((reason.subject for reason in top.reasons if reason.kind == "need"), "")
        language = _language(top.reasons[0].text if top.reasons else "", self.default_language)
        brief = ContentRequested(
            request_id=event.recommendation_id,
            kind="recommendation",
            channel="banner",
            language=language,
            product_ids=(top.product_id,),
            customer_id=event.customer_id,
            recommendation_id=event.recommendation_id,
        )
        facts = facts_of(brief, products)
        key = _line_key(facts, need)
        known = await self.lines.get(tenant, key)
        if known is not None:
            return _content(brief, [_from_cache(known)], None)
        try:
            variant, model = await self.copywriter.variant(brief, facts, 0, need=need, model=self.budget.take())
        except InvalidRequest as error:
            # Nobody asked for this line, so nobody would mend its dead letter: the recommendation stands without it.
            log.warning("no line", product_id=top.product_id, error=str(error))
            return None
        await self.lines.put(tenant, key, variant.model_dump_json())
        return _content(brief, [variant], model)


def outgoing_of(content: ContentPublished, tenant: str) -> Outgoing:
    """The message that publishes `content`; its id follows from the request's."""
    return Outgoing(PUBLISHED, content.request_id, content, content.content_id, tenant)


def _content(brief: ContentRequested, variants: list[Variant], model: str | None) -> ContentPublished:
    return ContentPublished(
        content_id=f"{brief.request_id[:240]}:content",
        request_id=brief.request_id,
        kind=brief.kind,
        channel=brief.channel,
        language=brief.language,
        variants=tuple(variants),
        product_ids=brief.product_ids,
        customer_id=brief.customer_id,
        recommendation_id=brief.recommendation_id,
        model=model,
    )


def _line_key(facts: Facts, need: str) -> str:
    """Changes with everything that the line says, so that a new price never meets an old line."""
    product = facts.products[0]
    return "/".join([product.product_id, facts.language, need, product.name, product.shown(product.price)])


def _from_cache(stored: str) -> Variant:
    return Variant.model_validate_json(stored)


def _language(text: str, default: str) -> str:
    found = identify_language(text)
    return found if found in {"en", "zh"} else default
