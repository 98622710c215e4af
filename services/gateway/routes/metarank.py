"""Ranking and recommendations in Metarank's shapes: `POST /rank/<model>`, `POST /recommend/<model>`, `?explain=true`.

For shops that come from Metarank: same requests, same answers, and besides a `recommendation_id`, which `items_shown`
and `item_clicked` name. What of a request is used is in docs/recommendations.md; the rest is let pass.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from rapport.events.base import Id
from rapport.ops.errors import InvalidRequest, NotFound
from services.gateway.domain.keys import Keys, Scope
from services.gateway.ports import Json, Peers
from services.gateway.routes.access import needs

_MOST_ITEMS = 500
# Each costs a call: what was put into the cart last says most.
_MOST_LIKENED = 10


class RankedThing(BaseModel):
    """One item of a request; what else Metarank knows of it is let pass."""

    model_config = ConfigDict(extra="ignore")
    id: Id


class RankCall(BaseModel):
    """As Metarank's clients send it."""

    model_config = ConfigDict(extra="ignore")
    id: Id | None = None
    user: Id | None = None
    session: Id | None = None
    items: Annotated[list[RankedThing], Field(min_length=1, max_length=_MOST_ITEMS)]


class RecommendCall(BaseModel):
    """As Metarank's clients send it."""

    model_config = ConfigDict(extra="ignore")
    count: Annotated[int, Field(ge=1, le=100)] = 10
    user: Id | None = None
    items: Annotated[list[Id], Field(max_length=_MOST_ITEMS)] = []


class _AlwaysJson(APIRoute):
    """Metarank reads every body as JSON, whatever its content type: `curl -d` says that it is a form."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def read_as_json(request: Request) -> Response:
            headers = [header for header in request.scope["headers"] if header[0] != b"content-type"]
            request.scope["headers"] = [*headers, (b"content-type", b"application/json")]
            return await handle(Request(request.scope, request.receive))

        return read_as_json


def router(peers: Peers, keys: Keys, *, tenant: str) -> APIRouter:
    """A private key is needed."""
    guard = Depends(needs(keys, Scope.PRIVATE))
    routes = APIRouter(tags=["recommendations"], dependencies=[guard], route_class=_AlwaysJson)

    @routes.post("/rank/{model}")
    async def rank(model: Literal["personal"], call: RankCall, explain: bool = False) -> Json:  # noqa: ARG001
        """Puts the items in this user's order, or without a `user` in this session's. The one model is `personal`:
        whichever ranker is promoted."""
        began, brought = time.perf_counter(), [item.id for item in call.items]
        customer = call.user or call.session or ""
        request = {"tenant": tenant, "customer_id": customer, "product_ids": brought, "explain": explain}
        ranked = await peers.rank(request)
        unknown = [{"product_id": product_id} for product_id in ranked.get("unknown_product_ids", ())]
        made = ranked.get("recommendation", {})
        return _answer(began, [*made.get("items", ()), *unknown], made, explain)

    @routes.post("/recommend/{model}")
    async def recommend(
        model: Literal["personal", "similar", "trending"], call: RecommendCall, explain: bool = False
    ) -> Json:
        """`personal`: what this user should see, without the `items`. `similar`: products like the `items`, such as
        those of a cart; of many the last ten. `trending`: what many look at now."""
        began = time.perf_counter()
        made: Json = {}
        if model == "similar":
            found = await _like(peers, tenant, call)
        elif model == "trending":
            found = (await peers.trending({"tenant": tenant, "limit": call.count}))["items"]
        else:
            request = {"tenant": tenant, "customer_id": call.user or "", "limit": call.count, "explain": explain}
            made = await peers.recommend(request | {"exclude_product_ids": call.items})
            found = made["items"]
        left = [item for item in found if item["product_id"] not in set(call.items)]
        return _answer(began, left[: call.count], made, explain)

    return routes


async def _like(peers: Peers, tenant: str, call: RecommendCall) -> list[Json]:
    """What resembles the items, by the sum of what it scores for each. Items that the catalogue does not have are left
    out. Raises `InvalidRequest` without items, `NotFound` when none is in the catalogue."""
    if not call.items:
        raise InvalidRequest("at least one is wanted", field="items")
    limit = min(100, call.count + len(call.items))
    asked = ({"tenant": tenant, "product_id": id_, "limit": limit} for id_ in call.items[-_MOST_LIKENED:])
    answers = await asyncio.gather(*map(peers.similar, asked), return_exceptions=True)
    failures = [answer for answer in answers if isinstance(answer, BaseException)]
    for failure in failures:
        if not isinstance(failure, NotFound) or len(failures) == len(answers):
            raise failure
    scores: Counter[str] = Counter()
    for answer in answers:
        if not isinstance(answer, BaseException):
            scores.update({item["product_id"]: item["score"] for item in answer["items"]})
    return [{"product_id": product_id, "score": score} for product_id, score in scores.most_common()]


def _answer(began: float, items: list[Json], made: Json, explain: bool) -> Json:
    answer: Json = {
        "took": round(1000 * (time.perf_counter() - began)),
        "items": [_item(item, explain) for item in items],
    }
    if "recommendation_id" in made:
        answer["recommendation_id"] = made["recommendation_id"]
    return answer


def _item(item: Json, explain: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {"item": item["product_id"], "score": item.get("score", 0.0)}
    if explain:
        features = item.get("features", {})
        shown["features"] = [{"name": name, "value": features[name]} for name in sorted(features)]
    return shown
