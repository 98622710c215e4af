"""ProfileService over a real gRPC connection, on serving copies in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from grpc_health.v1 import health_pb2, health_pb2_grpc

from rapport.contracts.profiler.v1 import profile_service_pb2 as wire
from rapport.contracts.profiler.v1.profile_service_pb2_grpc import ProfileServiceStub
from rapport.events.behaviour import Identify, ProductReviewed
from rapport.ops.errors import UnavailableError
from rapport.ops.settings import GrpcSettings
from rapport.serving.server import GrpcServer
from rapport.testing import MemoryKeyValues, ordered, viewed
from services.profiler.api import SERVICE, ProfileApi, servicing, to_wire
from tests.contract.profiler.test_learned import LEARNED
from tests.unit.profiler.conftest import Shop
from tests.unit.profiler.test_identity import anonymous, happened

Served = tuple[grpc.aio.Channel, Shop]


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    shop = Shop()
    await shop.open()
    server = GrpcServer(
        "profiler",
        GrpcSettings(drain_s=0),
        [servicing(ProfileApi(shop.copies, "default", shop.ports.observers, shop.rules))],
    )
    await server.start()
    async with grpc.aio.insecure_channel(server.address) as channel:
        yield channel, shop
    await server.stop()


async def ask(served: Served, customer: str, tenant: str = "") -> wire.Profile:
    request = wire.GetProfileRequest(customer_id=customer, tenant=tenant)
    answer: wire.GetProfileResponse = await ProfileServiceStub(served[0]).GetProfile(request)
    return answer.profile


async def test_the_answer_is_the_profile(served: Served) -> None:
    shop = served[1]
    said = {"product_id": "coffee-0", "review_body": "love it", "context": {"locale": "zh-CN"}}
    review = ProductReviewed.model_validate({"customer_id": "c1", **said})
    known = Identify(customer_id="c1", anonymous_id="a1")
    await happened(shop, anonymous("a1", "running-0"), ordered("c1", "o1", "coffee-0"), known)
    published = await shop.happen(review, minutes=9)
    profile = await ask(served, "c1")
    assert profile == to_wire(published, "default")
    assert [need.label for need in profile.needs] == ["Coffee makers", "Running shoes"]
    assert (profile.tenant, profile.language, profile.value.revenue) == ("default", "zh-CN", "10.00")
    assert profile.sentiment_count == 1
    # Whatever the message can say of a customer who did all of this, it says; what is learned is in test_learned.
    said_fields = set(MessageToDict(profile, preserving_proto_field_name=True))
    assert said_fields == set(wire.Profile.DESCRIPTOR.fields_by_name) - LEARNED


async def explained(served: Served, customer: str, subject: str = "") -> dict[str, wire.Explanation]:
    request = wire.ExplainProfileRequest(customer_id=customer, subject=subject)
    answer = await ProfileServiceStub(served[0]).ExplainProfile(request)
    return {each.subject: each for each in answer.explanations}


async def test_every_number_is_explained_by_its_events(served: Served) -> None:
    shop = served[1]
    await shop.happen(
        viewed("c1", "running-0"), ordered("c1", "o1", "coffee-0", total="30.00"), viewed("c1", "coffee-1")
    )
    found = await explained(served, "c1")
    ids = {subject: [reason.event_id[-1] for reason in each.reasons] for subject, each in found.items()}
    assert ids["need:Coffee makers"] == ["3", "2"]
    assert ids["need:Running shoes"] == ["1"]
    assert ids["brand:Fernhill"] == ["3", "2", "1"]
    assert (ids["revenue"], found["revenue"].reasons[0].weight, found["revenue"].value) == (["2"], 30.0, "30.00 EUR")
    assert (ids["session"], found["session"].value) == (["2"], "purchase")
    assert all(each.complete for each in found.values())
    assert found["need:Coffee makers"].reasons[1].kind == "order_completed"
    assert found["need:Coffee makers"].reasons[1].weight == 5


async def test_an_explanation_says_when_older_events_may_have_counted(served: Served) -> None:
    shop = served[1]
    for minute in range(30):
        await shop.happen(viewed("c1", "running-0"), minutes=minute)
    [found] = (await explained(served, "c1", "category:Running shoes")).values()
    assert (len(found.reasons), found.complete) == (24, False)


async def test_what_the_profile_has_not_cannot_be_explained(served: Served) -> None:
    await served[1].happen(viewed("c1", "running-0"))
    with pytest.raises(grpc.aio.AioRpcError, match="need:Running shoes") as caught:
        await explained(served, "c1", "need:Horses")
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


async def test_an_unset_part_stays_unset(served: Served) -> None:
    await served[1].happen(viewed("c1", "unknown"))
    profile = await ask(served, "c1", "default")
    assert not profile.value.HasField("last_order_at")
    assert (profile.value.revenue, profile.language, profile.sentiment_count, len(profile.needs)) == ("", "", 0, 0)


@pytest.mark.parametrize(
    ("customer", "tenant", "code"),
    [
        ("nobody", "", grpc.StatusCode.NOT_FOUND),
        ("c1", "another", grpc.StatusCode.NOT_FOUND),
        ("", "", grpc.StatusCode.INVALID_ARGUMENT),
        ("x" * 257, "", grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
async def test_who_cannot_be_answered_learns_why(
    served: Served, customer: str, tenant: str, code: grpc.StatusCode
) -> None:
    await served[1].happen(viewed("c1", "running-0"))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await ask(served, customer, tenant)
    assert caught.value.code() == code


async def test_without_redis_it_is_unavailable(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> None:
        raise UnavailableError("redis: down")

    monkeypatch.setattr(MemoryKeyValues, "read", refuse)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await ask(served, "c1")
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE


async def test_health_names_the_service(served: Served) -> None:
    answer = await health_pb2_grpc.HealthStub(served[0]).Check(health_pb2.HealthCheckRequest(service=SERVICE))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
