"""Copy's way past a person, its experiments, templates and audiences, as JSON."""

from __future__ import annotations

import uuid
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from rapport.bus.messages import Outgoing
from rapport.events.base import Id
from rapport.events.behaviour import ContentShown
from services.gateway.domain.keys import Keys, Scope
from services.gateway.ports import Json, Peers, Publisher
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


class AssignBody(Body):
    customer_id: Id
    shown: bool = False
    """True: the customer sees the variation now; the view is recorded (`content_shown`)."""


class EndBody(Body):
    winner: str = ""
    """The variation that everybody gets from now on; empty: the experiment ends without one."""
    by: str
    reason: str = ""


class AudienceBody(Body):
    segment: str = ""
    query: str = ""
    """CEL over a profile, e.g. `order_count > 2 && language == "zh"`."""
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000
    after: str = ""
    """The last customer of the page before."""


def router(peers: Peers, publisher: Publisher, keys: Keys, *, tenant: str) -> APIRouter:
    """A private key is needed."""
    routes = APIRouter(tags=["content"], dependencies=[Depends(needs(keys, Scope.PRIVATE))])

    @routes.get("/v1/drafts")
    async def drafts(status: Literal["pending", "approved", "rejected"] = "pending", limit: Limit = 100) -> Json:
        """Copy that waits for a person, newest first; or what was decided."""
        return await peers.content("ListDrafts", {"tenant": tenant, "status": status, "limit": limit})

    @routes.post("/v1/drafts/{content_id}")
    async def review(content_id: str, body: ReviewBody) -> Json:
        """Publishes a draft, or rejects it with a reason. 409 when it was decided otherwise."""
        return await peers.content("Review", {"tenant": tenant, "content_id": content_id, **body.model_dump()})

    @routes.get("/v1/experiments")
    async def experiments(status: Literal["", "running", "finished", "stopped"] = "") -> Json:
        """Experiments with their arms, intervals, posteriors, regret and what the stopping rule says."""
        return await peers.content("ListExperiments", {"tenant": tenant, "status": status})

    @routes.get("/v1/experiments/{experiment_id}")
    async def experiment(experiment_id: str) -> Json:
        """One of them."""
        found = await peers.content("ListExperiments", {"tenant": tenant, "experiment_id": experiment_id})
        answer: Json = found["experiments"][0]
        return answer

    @routes.post("/v1/experiments/{experiment_id}/assign")
    async def assign(experiment_id: str, body: AssignBody) -> Json:
        """The variation of a customer; the same one every time."""
        request = {"tenant": tenant, "experiment_id": experiment_id, "customer_id": body.customer_id}
        found = await peers.content("Assign", request)
        if body.shown:
            event = ContentShown(
                customer_id=body.customer_id, content_id=found["content_id"], variant=found["variation_id"]
            )
            await publisher.send_many([Outgoing("clickstream.v1", event.subject, event, uuid.uuid4().hex, tenant)])
        return found

    @routes.post("/v1/experiments/{experiment_id}/end")
    async def end(experiment_id: str, body: EndBody) -> Json:
        """Ends an experiment, with a winner or without. 409 when it has ended."""
        request = {"tenant": tenant, "experiment_id": experiment_id, **body.model_dump()}
        return await peers.content("EndExperiment", request)

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
