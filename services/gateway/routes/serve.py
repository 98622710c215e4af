"""Profiles and recommendations as JSON: what the services answer over gRPC."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from rapport.events.base import Id
from rapport.events.profiles import ProfileUpdated
from rapport.events.recommendations import RecommendationMade
from services.gateway.domain.keys import Keys, Scope
from services.gateway.ports import Json, Peers
from services.gateway.routes.access import needs

Limit = Annotated[int, Query(ge=1, le=100)]
Language = Annotated[str | None, Query(description="BCP 47, of the reasons")]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RankBody(Body):
    """The items to put in order."""

    customer_id: Id
    product_ids: Annotated[list[Id], Field(min_length=1, max_length=500)]
    language: str | None = None
    explain: bool = False


def _answers(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """For the OpenAPI page: the answer has the fields of the event that carries the same object on Kafka."""
    return {200: {"model": model}}


def router(peers: Peers, keys: Keys, *, tenant: str) -> APIRouter:
    """The query APIs. A private key is needed."""
    routes = APIRouter(dependencies=[Depends(needs(keys, Scope.PRIVATE))])

    @routes.get("/v1/profiles/{customer_id}", tags=["profiles"], responses=_answers(ProfileUpdated))
    async def profile(customer_id: str) -> Json:
        """Who the customer is, and what they need now. 404 when nothing was seen of them."""
        return await peers.profile(tenant, customer_id)

    @routes.get("/v1/profiles/{customer_id}/explanation", tags=["profiles"])
    async def explanation(customer_id: str, subject: str = "") -> Json:
        """Which events, and which inputs of a model, made a number or a segment of the profile ("need:Shoes",
        "segment:…", "hour:14", "churn_risk", "propensity:session"); without a subject, all of them. A subject that the
        profile has not is answered with those that it has."""
        return await peers.explain_profile({"tenant": tenant, "customer_id": customer_id, "subject": subject})

    @routes.get("/v1/recommendations", tags=["recommendations"], responses=_answers(RecommendationMade))
    async def recommend(
        customer_id: str = "",
        limit: Limit = 10,
        category: str | None = None,
        language: Language = None,
        filter: Annotated[str | None, Query(description="CEL, such as item.price < 50.0")] = None,  # noqa: A002
        explain: bool = False,
    ) -> Json:
        """What to show this customer; without a customer_id, what to show anybody. `explain` adds the features."""
        wanted: Json = {"customer_id": customer_id, "category": category, "language": language}
        wanted |= {"filter": filter, "explain": explain}
        return await peers.recommend({"tenant": tenant, "limit": limit, **wanted})

    @routes.post("/v1/rank", tags=["recommendations"])
    async def rank(body: RankBody) -> Json:
        """Puts the caller's items in this customer's order. `explain` adds the features."""
        return await peers.rank({"tenant": tenant, **body.model_dump()})

    @routes.get("/v1/similar/{product_id}", tags=["recommendations"])
    async def similar(product_id: str, limit: Limit = 10) -> Json:
        """Products like this one."""
        return await peers.similar({"tenant": tenant, "product_id": product_id, "limit": limit})

    @routes.get("/v1/trending", tags=["recommendations"])
    async def trending(limit: Limit = 10, category: str | None = None) -> Json:
        """What many look at now."""
        return await peers.trending({"tenant": tenant, "limit": limit, "category": category})

    return routes
