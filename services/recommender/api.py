"""RecommendationService over gRPC: decode and check, call the handler, encode."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from rapport.contracts.recommender.v1 import recommendation_service_pb2 as wire
from rapport.contracts.recommender.v1.recommendation_service_pb2_grpc import (
    RecommendationServiceServicer,
    add_RecommendationServiceServicer_to_server,
)
from rapport.events.recommendations import RankedItem, RecommendationMade
from rapport.ops.errors import InvalidRequest
from rapport.serving.server import Servicing
from services.recommender.domain.expressions import Expression
from services.recommender.domain.rules import Wish
from services.recommender.handlers import Answers, Ask, rank, recommend, similar, trending
from services.recommender.handlers.answers import Explained

Context = grpc.aio.ServicerContext[Any, Any]
SERVICE = wire.DESCRIPTOR.services_by_name["RecommendationService"].full_name

_MOST_ITEMS = 100
# What a caller may bring to be ranked, or to be left out: a page of search results, a cart; not a catalogue.
_MOST_BROUGHT = 500
_MOST_ID_BYTES = 256
_LANGUAGE = re.compile(r"([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)?")


class RecommendationApi(RecommendationServiceServicer):
    """`tenant` is meant when a caller names none; `limit` items, when no number."""

    def __init__(self, answers: Answers, tenant: str, limit: int) -> None:
        self._answers, self._tenant, self._limit = answers, tenant, limit

    async def Recommend(self, request: wire.RecommendRequest, context: Context) -> wire.RecommendResponse:
        exclude = frozenset(_ids("exclude_product_ids", request.exclude_product_ids))
        category = _text("category", request.category)
        fits = Expression(request.filter) if request.filter else None
        wish = Wish(self._limited(request.limit), category, exclude, _language(request.language), fits)
        ask = Ask(self._tenant_of(request.tenant), _text("customer_id", request.customer_id), wish)
        told = await recommend(ask, self._answers)
        explained = told.explained() if request.explain else {}
        return wire.RecommendResponse(recommendation=to_wire(told.made, ask.tenant, ask.customer_id, explained))

    async def Rank(self, request: wire.RankRequest, context: Context) -> wire.RankResponse:
        tenant, customer = self._tenant_of(request.tenant), _text("customer_id", request.customer_id)
        if not request.product_ids:
            raise InvalidRequest("at least one is wanted", field="product_ids")
        product_ids = _ids("product_ids", request.product_ids)
        told, unknown = await rank(tenant, customer, product_ids, _language(request.language), self._answers)
        explained = told.explained() if request.explain else {}
        made = to_wire(told.made, tenant, customer, explained)
        return wire.RankResponse(recommendation=made, unknown_product_ids=unknown)

    async def Similar(self, request: wire.SimilarRequest, context: Context) -> wire.SimilarResponse:
        (product_id,) = _ids("product_id", [request.product_id])
        limit = self._limited(request.limit)
        return wire.SimilarResponse(
            items=_items(await similar(self._tenant_of(request.tenant), product_id, limit, self._answers))
        )

    async def Trending(self, request: wire.TrendingRequest, context: Context) -> wire.TrendingResponse:
        limit, category = self._limited(request.limit), _text("category", request.category)
        return wire.TrendingResponse(
            items=_items(await trending(self._tenant_of(request.tenant), limit, category, self._answers))
        )

    def _tenant_of(self, named: str) -> str:
        return _text("tenant", named) or self._tenant

    def _limited(self, limit: int) -> int:
        if limit > _MOST_ITEMS:
            raise InvalidRequest(f"{limit}, at most {_MOST_ITEMS}", field="limit")
        return limit or self._limit


def servicing(api: RecommendationApi) -> Servicing:
    return add_RecommendationServiceServicer_to_server, api, SERVICE


def to_wire(
    made: RecommendationMade, tenant: str, customer_id: str, explained: Explained = MappingProxyType({})
) -> wire.Recommendation:
    """The object of the topic as the API speaks it."""
    return wire.Recommendation(
        recommendation_id=made.recommendation_id,
        customer_id=customer_id,
        tenant=tenant,
        items=_items(made.items, explained),
        strategy=made.strategy,
        fallbacks=made.fallbacks,
        profile_revision=made.profile_revision,
        encoder=made.encoder or "",
        created_at=_time(made.created_at),
        expires_at=_time(made.expires_at),
        trigger_event_id=made.trigger_event_id or "",
        ranker=made.ranker,
        experiment_id=made.experiment_id,
        variation_id=made.variation_id,
    )


def _items(items: Iterable[RankedItem], explained: Explained = MappingProxyType({})) -> list[wire.RankedItem]:
    return [
        wire.RankedItem(
            product_id=item.product_id,
            score=item.score,
            reasons=[
                wire.Reason(
                    kind=reason.kind, text=reason.text, subject=reason.subject, weight=reason.weight, path=reason.path
                )
                for reason in item.reasons
            ],
            source_scores=item.source_scores,
            propensity=item.propensity,
            features=explained.get(item.product_id),
        )
        for item in items
    ]


def _ids(field: str, ids: Sequence[str]) -> list[str]:
    if len(ids) > _MOST_BROUGHT:
        raise InvalidRequest(f"{len(ids)}, at most {_MOST_BROUGHT}", field=field)
    if not all(ids):
        raise InvalidRequest("empty", field=field)
    return [_text(field, id_) for id_ in ids]


def _text(field: str, text: str) -> str:
    if len(text.encode()) > _MOST_ID_BYTES:
        raise InvalidRequest(f"longer than {_MOST_ID_BYTES} bytes", field=field)
    return text


def _language(tag: str) -> str:
    if not _LANGUAGE.fullmatch(tag):
        raise InvalidRequest(f"{tag!r} is no BCP 47 tag", field="language", fix="en, zh-CN, …")
    return tag


def _time(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
