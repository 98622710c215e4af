"""ContentService over a real gRPC connection, with the handlers' ports faked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from rapport.bus.messages import Outgoing
from rapport.contracts.content.v1 import content_service_pb2 as wire
from rapport.contracts.content.v1.content_service_pb2_grpc import ContentServiceStub
from rapport.ops.errors import NotFound
from rapport.ops.settings import GrpcSettings
from rapport.serving.channel import PeerChannel
from rapport.serving.server import GrpcServer
from services.content.api import ContentApi, Rooms, servicing
from services.content.domain.experiments.board import Board
from services.content.handlers.experiments import ExperimentHandlers
from services.content.handlers.review import Drafts, ReviewHandlers
from services.content.handlers.texts import Texts
from services.gateway.adapters.peers import GrpcPeers
from tests.unit.content.conftest import NOW, TEMPLATES, Kept, KeptArms, handlers
from tests.unit.content.test_audience import profile
from tests.unit.content.test_briefs import message

GOOD = "Fernhill Trail Runner 2 is 20% off until 12 March."


class Loop:
    """Keeps what is published, and gives it back to the views, as Kafka would."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []
        self.drafts, self.texts = Drafts(), Texts()
        self.experiments = ExperimentHandlers(Board(), handlers()[0].people, KeptArms(), lambda: NOW)

    async def send_many(self, outgoings: Sequence[Outgoing]) -> None:
        self.sent += outgoings
        back = {
            "content.drafts.v1": self.drafts.apply,
            "content.published.v1": self.texts.apply,
            "experiments.v1": self.experiments.on_experiments,
        }
        for each in outgoings:
            await back[each.topic]([message(each.event, each.key, len(self.sent))])


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
async def content_address(loop: Loop) -> AsyncIterator[str]:
    briefs, _ = handlers("The best shoe!", GOOD)
    people = briefs.people
    for number in range(3):
        people.profile("default", f"c-{number}", profile(f"c-{number}", number, "en", "runners"))
    review = ReviewHandlers(loop.drafts, Kept(), lambda: NOW)
    rooms = Rooms(briefs, review, loop.experiments, people, TEMPLATES, loop.texts)
    server = GrpcServer("content", GrpcSettings(drain_s=0), [servicing(ContentApi(rooms, loop, "default"))])
    await server.start()
    yield server.address
    await server.stop()


@pytest.fixture
async def content(content_address: str, loop: Loop) -> AsyncIterator[tuple[Any, Loop]]:
    async with grpc.aio.insecure_channel(content_address) as channel:
        yield ContentServiceStub(channel), loop


def brief(**changes: object) -> wire.Brief:
    ends = Timestamp(seconds=1773273600)  # 12 March 2026; the service's clock says 5 March
    fields = {"request_id": "q-1", "kind": "campaign", "channel": "email", "language": "en", "product_ids": ["p-1"]}
    return wire.Brief(**{**fields, "discount_percent": "20", "ends_at": ends, **changes})  # type: ignore[arg-type]


async def test_copy_comes_back_with_its_trail_and_is_published(content: tuple[Any, Loop]) -> None:
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
async def test_wrong_briefs_name_the_field(content: tuple[Any, Loop], changes: dict[str, object], named: str) -> None:
    stub, published = content
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Create(wire.CreateRequest(brief=brief(**changes)))
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert named in (caught.value.details() or "")
    assert published.sent == []


async def test_a_draft_is_listed_approved_and_published(content: tuple[Any, Loop]) -> None:
    stub, loop = content
    answer = await stub.Create(wire.CreateRequest(brief=brief(approval=True)))
    assert (answer.status, [each.topic for each in loop.sent]) == ("pending", ["content.drafts.v1"])
    (draft,) = (await stub.ListDrafts(wire.ListDraftsRequest())).drafts
    assert (draft.content_id, draft.variants[0].text) == (answer.content_id, GOOD)
    approve = wire.ReviewRequest(content_id=draft.content_id, decision="approve", by="Mia")
    assert (await stub.Review(approve)).draft.status == "approved"
    assert [each.topic for each in loop.sent[1:]] == ["content.published.v1", "content.drafts.v1"]
    assert not (await stub.ListDrafts(wire.ListDraftsRequest())).drafts
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Review(wire.ReviewRequest(content_id=draft.content_id, decision="reject", by="Ole", reason="dull"))
    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION


async def test_an_experiment_is_assigned_reported_and_ended(content: tuple[Any, Loop]) -> None:
    stub, _ = content
    plan = wire.ExperimentPlan(mode="bandit", floor=0.0)
    created = await stub.Create(wire.CreateRequest(brief=brief(variants=2, experiment=plan)))
    assert created.experiment_id
    ask = wire.AssignRequest(experiment_id=created.experiment_id, customer_id="c-1")
    given = await stub.Assign(ask)
    texts = {variant.variant_id: variant.text for variant in created.variants}
    assert (given.in_experiment, given.text) == (True, texts[given.variation_id])
    assert (await stub.Assign(ask)).variation_id == given.variation_id
    (listed,) = (await stub.ListExperiments(wire.ListExperimentsRequest())).experiments
    assert [arm.variation_id for arm in listed.arms] == ["a", "b"]
    assert listed.verdict.startswith("waits for 100 customers")
    end = wire.EndExperimentRequest(experiment_id=created.experiment_id, winner="b", by="Mia", reason="clear")
    assert (await stub.EndExperiment(end)).experiment.winner == "b"
    after = await stub.Assign(ask)
    assert (after.variation_id, after.reason, after.in_experiment) == ("b", "winner", False)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.EndExperiment(end)
    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION


async def test_audiences_are_paged_in_order(content: tuple[Any, Loop]) -> None:
    stub, _ = content
    first = await stub.Audience(wire.AudienceRequest(segment="runners", limit=2))
    rest = await stub.Audience(wire.AudienceRequest(segment="runners", limit=2, after=first.customer_ids[-1]))
    assert (first.size, list(first.customer_ids), list(rest.customer_ids)) == (3, ["c-0", "c-1"], ["c-2"])
    answer = await stub.Audience(wire.AudienceRequest(query="order_count > 1"))
    assert list(answer.customer_ids) == ["c-2"]
    created = await stub.Create(wire.CreateRequest(brief=brief(segment="runners")))
    assert created.audience_size == 3


async def test_templates_are_previewed_and_ranked(content: tuple[Any, Loop]) -> None:
    stub, _ = content
    previews = (await stub.Preview(wire.PreviewRequest(language="zh"))).templates
    assert {each.kind for each in previews} >= {"campaign", "back_in_stock"}
    assert all(each.texts for each in previews)
    assert not (await stub.Performance(wire.PerformanceRequest(by="tone"))).rows
    with pytest.raises(grpc.aio.AioRpcError):
        await stub.Performance(wire.PerformanceRequest(by="moon"))


async def test_the_gateways_adapter_speaks_to_the_service(content_address: str) -> None:
    channel = PeerChannel("content", content_address, 5)
    await channel.start()
    peers = GrpcPeers(channel, channel, channel, channel)
    drafts = await peers.content("ListDrafts", {"tenant": "default", "status": "pending", "limit": 5})
    assert drafts == {"drafts": []}
    found = await peers.content("Audience", {"tenant": "default", "segment": "runners", "limit": 2})
    assert found == {"size": 3, "customer_ids": ["c-0", "c-1"]}
    with pytest.raises(NotFound):
        await peers.content("ListExperiments", {"experiment_id": "none"})
    created = await peers.create_content(
        {
            "request_id": "q-9", "kind": "campaign", "channel": "email", "language": "en", "product_ids": ["p-1"],
            "variants": 2, "experiment": {"mode": "fixed", "weights": [0.25, 0.75], "promote": "rule"},
        }
    )  # fmt: skip
    (listed,) = (await peers.content("ListExperiments", {}))["experiments"]
    assert listed["experiment_id"] == created["experiment_id"]
    assert [arm["weight"] for arm in listed["arms"]] == [0.25, 0.75]
    await channel.stop()
