"""Copy for a brief, its way past a person, its templates, what came of them, and audiences, as JSON."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from rapport.events.content import ContentRequested
from services.gateway.domain.keys import Keys, Scope
from services.gateway.ports import Json, Peers
from services.gateway.routes.access import needs
from services.gateway.routes.serve import Body

Limit = Annotated[int, Query(ge=1, le=1000)]


class ReviewBody(Body):
    """A person's decision on a draft."""

    decision: Literal["approve", "reject"]
    by: str
    """Who decides."""
    reason: str = ""
    """Why; a rejection needs one."""


class AudienceBody(Body):
    segment: str = ""
    query: str = ""
    """CEL over a profile, e.g. `order_count > 2 && language == "zh"`."""
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000
    after: str = ""
    """The last customer of the page before."""


def router(peers: Peers, keys: Keys, *, tenant: str) -> APIRouter:
    """A private key is needed."""
    routes = APIRouter(tags=["content"], dependencies=[Depends(needs(keys, Scope.PRIVATE))])

    @routes.post("/v1/content")
    async def create(brief: ContentRequested) -> Json:
        """Copy for a brief, checked against the catalogue, with the trail of tries."""
        fields = brief.model_dump(mode="json", exclude_none=True, exclude={"occurred_at"})
        return await peers.create_content({"tenant": tenant, **fields})

    @routes.get("/v1/drafts")
    async def drafts(status: Literal["pending", "approved", "rejected"] = "pending", limit: Limit = 100) -> Json:
        """Copy that waits for a person, newest first; or what was decided."""
        return await peers.content("ListDrafts", {"tenant": tenant, "status": status, "limit": limit})

    @routes.post("/v1/drafts/{content_id}")
    async def review(content_id: str, body: ReviewBody) -> Json:
        """Publishes a draft, or rejects it with a reason. 409 when it was decided otherwise."""
        return await peers.content("Review", {"tenant": tenant, "content_id": content_id, **body.model_dump()})

    @routes.get("/v1/performance")
    async def performance(by: Literal["template", "tone", "prompt", "author"] = "template", kind: str = "") -> Json:
        """Templates, tones, prompts or authors by what came of them, best first."""
        return await peers.content("Performance", {"tenant": tenant, "by": by, "kind": kind})

    @routes.get("/v1/templates")
    async def templates(language: str = "", template_id: str = "") -> Json:
        """Templates filled with made-up facts."""
        return await peers.content("Preview", {"language": language, "template_id": template_id})

    @routes.post("/v1/audience")
    async def audience(body: AudienceBody) -> Json:
        """Who a segment or a query on profiles means, in order of customer id."""
        return await peers.content("Audience", {"tenant": tenant, **body.model_dump()})

    return routes
