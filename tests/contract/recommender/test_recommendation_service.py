"""RecommendationService over a real gRPC connection, on a recommender in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from grpc_health.v1 import health_pb2, health_pb2_grpc

from rapport.contracts.recommender.v1 import recommendation_service_pb2 as wire
from rapport.contracts.recommender.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from rapport.events.recommendations import RecommendationMade
from rapport.ops.errors import UnavailableError
from rapport.ops.settings import GrpcSettings
from rapport.serving.server import GrpcServer
from rapport.testing import viewed
from services.recommender.api import SERVICE, RecommendationApi, servicing, to_wire
from tests.unit.recommender.goods import GOODS
from tests.unit.recommender.shop import Shop

Served = tuple[grpc.aio.Channel, Shop]


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    shop = Shop()
    await shop.stock(*GOODS.values())
    api = RecommendationApi(shop.answers, "default", 10)
    server = GrpcServer("recommender", GrpcSettings(drain_s=0), [servicing(api)])
    await server.start()
    async with grpc.aio.insecure_channel(server.address) as channel:
        yield channel, shop
    await server.stop()


def stub(served: Served) -> Any:
    return RecommendationServiceStub(served[0])


async def test_the_answer_is_the_object_of_the_topic(served: Served) -> None:
    shop = served[1]
    await shop.behave(viewed("bob", "shoes-0"), viewed("bob", "lamps-0"), viewed("ada", "shoes-0"))
    ada = await shop.profile("ada", {"Running shoes": "running shoes"}, revision=4, recent_product_ids=["shoes-0"])
    (pushed,) = await shop.push(ada)
    assert isinstance(pushed.event, RecommendationMade)
    answer = await stub(served).Recommend(wire.RecommendRequest(customer_id="ada"))
    expected = to_wire(pushed.event, "default", "ada")
    expected.recommendation_id = answer.recommendation.recommendation_id
    assert answer.recommendation == expected
    # Whatever the message can say it says, but for fallbacks, which were not needed, and a model, which is not there.
    said = set(MessageToDict(answer.recommendation, preserving_proto_field_name=True))
    unsaid = {"fallbacks", "ranker", "experiment_id", "variation_id"}
    assert said == set(wire.Recommendation.DESCRIPTOR.fields_by_name) - unsaid
    first = answer.recommendation.items[0]
    assert set(MessageToDict(first, preserving_proto_field_name=True)) == set(
        wire.RankedItem.DESCRIPTOR.fields_by_name
    ) - {"features"}


async def test_a_stranger_is_told_which_strategy_answers(served: Served) -> None:
    made = (await stub(served).Recommend(wire.RecommendRequest(limit=3, category="lamps"))).recommendation
    assert made.strategy == "catalogue"
    assert made.fallbacks[0] == "personalised: nobody is known"
    assert (made.customer_id, made.tenant, made.profile_revision) == ("", "default", 0)
    assert len(made.items) == 3


async def test_a_ranked_list_holds_what_was_brought(served: Served) -> None:
    await served[1].profile("ada", {"Running shoes": "running shoes"})
    request = wire.RankRequest(customer_id="ada", product_ids=["lamps-1", "ghost", "shoes-1"], language="zh")
    answer = await stub(served).Rank(request)
    assert [item.product_id for item in answer.recommendation.items] == ["shoes-1", "lamps-1"]
    assert list(answer.unknown_product_ids) == ["ghost"]
    assert answer.recommendation.items[0].reasons[0].text == "符合您对“Running shoes”的兴趣"


async def test_similar_products_say_why(served: Served) -> None:
    await served[1].behave(*(viewed(who, what) for who in ("bob", "eve") for what in ("shoes-0", "lamps-4")))
    answer = await stub(served).Similar(wire.SimilarRequest(product_id="shoes-0", limit=5))
    reasons = {item.product_id: [reason.text for reason in item.reasons] for item in answer.items}
    assert "shoes-0" not in reasons
    assert reasons["lamps-4"] == ["Others who looked at trail running shoes also looked at this"]
    assert reasons["shoes-4"] == ["Similar to trail running shoes"]
    # Among what resembles it, its own kind comes first.
    kinds = [item.product_id.partition("-")[0] for item in answer.items if "similar" in item.source_scores]
    assert kinds == ["shoes"] * 4
    assert len(reasons) == 5


async def test_trending_is_empty_until_something_trends(served: Served) -> None:
    assert not (await stub(served).Trending(wire.TrendingRequest())).items
    await served[1].behave(viewed("a", "lamps-1"), viewed("b", "lamps-1"), viewed("c", "shoes-1"))
    items = (await stub(served).Trending(wire.TrendingRequest())).items
    assert [item.product_id for item in items] == ["lamps-1", "shoes-1"]
    assert [reason.text for reason in items[0].reasons] == ["2 shoppers looked at it today"]
    items = (await stub(served).Trending(wire.TrendingRequest(category="shoes"))).items
    assert [item.product_id for item in items] == ["shoes-1"]


@pytest.mark.parametrize(
    ("method", "request_", "field"),
    [
        ("Recommend", wire.RecommendRequest(limit=101), "limit"),
        ("Recommend", wire.RecommendRequest(customer_id="x" * 257), "customer_id"),
        ("Recommend", wire.RecommendRequest(tenant="x" * 257), "tenant"),
        ("Recommend", wire.RecommendRequest(category="x" * 257), "category"),
        ("Recommend", wire.RecommendRequest(language="en_GB"), "language"),
        ("Recommend", wire.RecommendRequest(exclude_product_ids=["p"] * 501), "exclude_product_ids"),
        ("Rank", wire.RankRequest(), "product_ids"),
        ("Rank", wire.RankRequest(product_ids=["p"] * 501), "product_ids"),
        ("Rank", wire.RankRequest(product_ids=["p", ""]), "product_ids"),
        ("Rank", wire.RankRequest(product_ids=["p"], language="12"), "language"),
        ("Similar", wire.SimilarRequest(), "product_id"),
        ("Similar", wire.SimilarRequest(product_id="shoes-0", limit=101), "limit"),
        ("Trending", wire.TrendingRequest(limit=1000), "limit"),
    ],
)
async def test_a_wrong_argument_is_named(served: Served, method: str, request_: Any, field: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await getattr(stub(served), method)(request_)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert (caught.value.details() or "").startswith(f"{field}: ")


async def test_similar_to_an_unknown_product_is_not_found(served: Served) -> None:
    for request in (wire.SimilarRequest(product_id="ghost"), wire.SimilarRequest(product_id="shoes-0", tenant="other")):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub(served).Similar(request)
        assert caught.value.code() == grpc.StatusCode.NOT_FOUND


async def test_without_redis_all_but_trending_answer(served: Served) -> None:
    served[1].counts.failure = UnavailableError("redis: down")
    made = (await stub(served).Recommend(wire.RecommendRequest(customer_id="ada"))).recommendation
    assert made.fallbacks[0] == "personalised: Redis does not answer"
    assert len((await stub(served).Rank(wire.RankRequest(product_ids=["shoes-0"]))).recommendation.items) == 1
    assert len((await stub(served).Similar(wire.SimilarRequest(product_id="shoes-0", limit=3))).items) == 3
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub(served).Trending(wire.TrendingRequest())
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE


async def test_health_names_the_service(served: Served) -> None:
    answer = await health_pb2_grpc.HealthStub(served[0]).Check(health_pb2.HealthCheckRequest(service=SERVICE))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
