"""ContentService over a real gRPC connection, with the handlers' ports faked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from rapport.bus.messages import Outgoing
from rapport.contracts.content.v1 import content_service_pb2 as wire
from rapport.contracts.content.v1.content_service_pb2_grpc import ContentServiceStub
from rapport.ops.settings import GrpcSettings
from rapport.serving.server import GrpcServer
from services.content.api import ContentApi, servicing
from tests.unit.content.conftest import handlers

GOOD = "Fernhill Trail Runner 2 is 20% off until 12 March."


class Sent:
    def __init__(self) -> None:
        self.sent: list[Outgoing] = []

    async def send(self, outgoing: Outgoing) -> None:
        self.sent.append(outgoing)


@pytest.fixture
async def content() -> AsyncIterator[tuple[Any, Sent]]:
    sent = Sent()
    service, _ = handlers("The best shoe!", GOOD)
    server = GrpcServer("content", GrpcSettings(drain_s=0), [servicing(ContentApi(service, sent, "default"))])
    await server.start()
    async with grpc.aio.insecure_channel(server.address) as channel:
        yield ContentServiceStub(channel), sent
    await server.stop()


def brief(**changes: object) -> wire.Brief:
    ends = Timestamp(seconds=1773273600)  # 12 March 2026
    fields = {"request_id": "q-1", "kind": "campaign", "channel": "email", "language": "en", "product_ids": ["p-1"]}
    return wire.Brief(**{**fields, "discount_percent": "20", "ends_at": ends, **changes})  # type: ignore[arg-type]


async def test_copy_comes_back_with_its_trail_and_is_published(content: tuple[Any, Sent]) -> None:
    stub, published = content
    answer = await stub.Create(wire.CreateRequest(brief=brief()))
    (variant,) = answer.variants
    assert (variant.text, variant.author, [d.accepted for d in variant.trail]) == (GOOD, "model", [False, True])
    assert variant.trail[0].problems
    (sent,) = published.sent
    assert (sent.topic, sent.key) == ("content.published.v1", "q-1")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"product_ids": ["p-9"]}, "product_ids"),
        ({"product_ids": []}, "product_ids"),
        ({"kind": "poem"}, "kind"),
        ({"channel": "pigeon"}, "channel"),
        ({"discount_percent": "100"}, "discount_percent"),
        ({"discount_percent": "much"}, "discount_percent"),
        ({"request_id": ""}, "request_id"),
        ({"variants": 99}, "variants"),
        ({"starts_at": Timestamp(seconds=1873273600)}, "ends_at must lie after starts_at"),
    ],
)
async def test_wrong_briefs_name_the_field(content: tuple[Any, Sent], changes: dict[str, object], named: str) -> None:
    stub, published = content
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Create(wire.CreateRequest(brief=brief(**changes)))
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert named in (caught.value.details() or "")
    assert published.sent == []
