"""A brief becomes copy: published, or laid before a person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from rapport.bus.messages import Message, Outgoing
from rapport.events.content import ContentDrafted, ContentPublished, ContentRequested
from rapport.ops.errors import InvalidRequest
from services.content.domain.audience import People
from services.content.domain.facts import Facts, facts_of
from services.content.handlers.outgoing import content_of, drafted, going_out
from services.content.ports import Products, Published, Recent
from services.content.writing import Copywriter, Task


@dataclass(frozen=True, slots=True)
class Created:
    """`outgoing`: what to publish for it."""

    content: ContentPublished
    status: Literal["published", "pending"]
    outgoing: Sequence[Outgoing]


@dataclass(frozen=True, slots=True)
class BriefHandlers:
    """Handlers with their ports."""

    copywriter: Copywriter
    products: Products
    people: People
    published: Published
    recent: Recent
    approval: bool
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def create(self, brief: ContentRequested, tenant: str) -> Created:
        """Copy for `brief`. The same request_id gets the same copy. Raises `InvalidRequest` naming what is wrong."""
        content = await self.published.get(tenant, brief.request_id)
        if content is None:
            content = await self._written(brief, tenant)
            await self.published.put(tenant, content)
        now = self.clock()
        if self.approval if brief.approval is None else brief.approval:
            draft = ContentDrafted(
                content_id=content.content_id,
                status="pending",
                content=content,
                experiment=brief.experiment,
                created_at=now,
            )
            return Created(content, "pending", [drafted(draft, tenant)])
        return Created(content, "published", going_out(content, brief.experiment, tenant, now))

    async def on_requests(self, messages: Sequence[Message]) -> Sequence[Outgoing]:
        """Handler of content.requests.v1."""
        outgoing: list[Outgoing] = []
        for message in messages:
            if isinstance(message.event, ContentRequested):
                outgoing += (await self.create(message.event, message.envelope.tenant)).outgoing
        return outgoing

    async def _written(self, brief: ContentRequested, tenant: str) -> ContentPublished:
        facts = self._facts(brief, tenant)
        size = self._audience_size(brief, tenant)
        key = "/".join([brief.kind, brief.channel, facts.code, *sorted(brief.product_ids)])
        task = Task(brief, facts, recent=await self.recent.texts(tenant, key))
        variants, model = await self.copywriter.variants(task, brief.variants)
        if brief.experiment is not None and len(variants) < 2:
            raise InvalidRequest("no two variants differ enough to be tried against each other", field="variants")
        if brief.experiment is not None and brief.experiment.weights and len(brief.experiment.weights) != len(variants):
            raise InvalidRequest(
                f"{len(variants)} variants differ; as many weights are needed", field="experiment.weights"
            )
        await self.recent.add(tenant, key, [variant.text for variant in variants])
        return content_of(brief, variants, model, size=size)

    def _facts(self, brief: ContentRequested, tenant: str) -> Facts:
        facts = facts_of(brief, self.products.named(tenant, brief.product_ids), self.clock())
        if brief.customer_id is not None and brief.personalise:
            personal = self.people.personal(tenant, brief.customer_id, brief.personalise)
            facts = replace(facts, personal=personal)
        return self.copywriter.checker.screened(facts)

    def _audience_size(self, brief: ContentRequested, tenant: str) -> int | None:
        if brief.segment is None and brief.audience_query is None:
            return None
        members = self.people.members(tenant, segment=brief.segment, query=brief.audience_query, now=self.clock())
        return len(members)
