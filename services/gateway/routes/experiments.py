"""Experiments on copy, as JSON."""

from __future__ import annotations

import uuid
from typing import Literal

from fastapi import APIRouter, Depends

from rapport.bus.messages import Outgoing
from rapport.bus.ports import Publisher
from rapport.events.base import Id
from rapport.events.behaviour import ContentShown
from services.gateway.domain.keys import Keys, Scope
from services.gateway.ports import Json, Peers
from services.gateway.routes.access import needs
from services.gateway.routes.serve import Body


class AssignBody(Body):
    customer_id: Id
    shown: bool = False
    """True: the customer sees the variation now; the view is recorded (`content_shown`)."""


class EndBody(Body):
    winner: str = ""
    """The variation that everybody gets from now on; empty: the experiment ends without one."""
    by: str
    reason: str = ""


def router(peers: Peers, publisher: Publisher, keys: Keys, *, tenant: str) -> APIRouter:
    """A private key is needed."""
    routes = APIRouter(tags=["content"], dependencies=[Depends(needs(keys, Scope.PRIVATE))])

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

    return routes
