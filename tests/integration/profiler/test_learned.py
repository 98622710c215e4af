"""The learned parts in the running service: promoted models are used, explained and rolled back; time moves people."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import numpy as np
import pytest

from deploy.local.servers import EmbeddedServers
from rapport.bus.messages import Outgoing
from rapport.bus.producer import EventProducer
from rapport.contracts.profiler.v1 import profile_service_pb2 as wire
from rapport.contracts.profiler.v1.profile_service_pb2_grpc import ProfileServiceStub
from rapport.events.behaviour import Behaviour, ProductReviewed
from rapport.models.promotions import promote, promotions, roll_back
from rapport.models.registry import Registry
from rapport.models.tuning.examples import Example
from rapport.models.tuning.learning import learn
from rapport.models.tuning.recipe import Recipe
from rapport.models.versions import Version
from rapport.ops.settings import ModelSettings, Settings
from rapport.testing import ordered, searched
from services.profiler.segments.features import TYPE_FEATURES
from services.profiler.segments.model import LinearSegments, Segment
from services.profiler.training.names import TYPE
from tests.integration.profiler.conftest import Deployment, running
from tests.unit.models.tiny import tiny_encoder

GOOD, BAD, FILL = "wonderful lamp", "dreadful kettle", ("tent", "sofa", "mug", "shirt", "spoon", "chair")
_NUMBERS = itertools.count()


@pytest.fixture
def deployment(servers: EmbeddedServers, tmp_path: Path) -> Iterator[Deployment]:
    """With a tiny network of random weights as its encoder, and a look at who stays away every second."""
    more = {
        "MODELS__ENCODER": str(tiny_encoder(tmp_path / "encoder", [GOOD, BAD, *FILL])),
        "MODELS__CACHE": str(tmp_path),
        "WORKER__BACKEND": "torch",
        "WORKER__DEVICE": "cpu",
        "WORKER__THREADS": "1",
        "PROFILER__ANALYST": "false",
        "PROFILER__AGEING_MINUTES": "0.02",
    }
    yield from running(Deployment(servers, tmp_path, **{f"RAPPORT_{name}": value for name, value in more.items()}))


@pytest.mark.timeout(300)
async def test_what_is_promoted_is_used_explained_and_rolled_back(deployment: Deployment, tmp_path: Path) -> None:
    models = ModelSettings(cache=tmp_path, encoder=str(tmp_path / "encoder"))
    settings = Settings(kafka=deployment.kafka, models=models)
    right = await asyncio.to_thread(_tuned, settings, GOOD, BAD)
    wrong = await asyncio.to_thread(_tuned, settings, BAD, GOOD)
    producer = EventProducer("test", deployment.kafka)
    await producer.start()
    try:
        await promote(right, settings)
        await _until(lambda: _praised(deployment, producer, over=0.5))
        await promote(wrong, settings)
        await _until(lambda: _praised(deployment, producer, over=0.5, sign=-1))
        await roll_back(right, (await promotions(settings))["sentiment"], settings)
        await _until(lambda: _praised(deployment, producer, over=0.5))
        await promote(_types(settings), settings)
        await _lapses(deployment, producer)
    finally:
        await producer.stop()


async def _lapses(deployment: Deployment, producer: EventProducer) -> None:
    """Somebody who ordered long ago is a lapsing customer by now, and it is said why."""
    long_ago = datetime.now(UTC) - timedelta(days=90)

    orders = [
        ordered("buyer", f"o-{number}", "p-1", occurred_at=long_ago + timedelta(minutes=number)) for number in range(4)
    ]
    await _send(deployment, producer, *orders, searched("somebody else", "tent"))
    await _until(lambda: _in_segment(deployment, "buyer", "Lapsing"))


async def _in_segment(deployment: Deployment, customer: str, name: str) -> bool:
    profile = await asyncio.to_thread(_profile, deployment, customer)
    found = [segment for segment in profile.segments if segment.name == name]
    if not found:
        return False
    subject = f"segment:{found[0].segment_id}"
    with grpc.insecure_channel(deployment.address) as channel:
        request = wire.ExplainProfileRequest(customer_id=customer, subject=subject)
        answer = await asyncio.to_thread(ProfileServiceStub(channel).ExplainProfile, request)
    heaviest = answer.explanations[0].breakdown.contributions[0]
    assert (heaviest.feature, heaviest.amount > 0) == ("days_since_order", True)
    return True


async def _praised(deployment: Deployment, producer: EventProducer, *, over: float, sign: int = 1) -> bool:
    """Whether a review by somebody new is taken as praise (`sign` 1) or blame (-1)."""
    who = f"reviewer-{next(_NUMBERS)}"
    review = ProductReviewed(customer_id=who, product_id="p-1", review_body=f"{GOOD} tent")
    await _send(deployment, producer, review)
    await _until(lambda: asyncio.to_thread(lambda: deployment.event_count(who) > 0))
    return sign * deployment.profile(who).sentiment > over


async def _send(deployment: Deployment, producer: EventProducer, *events: Behaviour) -> None:
    sent = [
        Outgoing("clickstream.v1", event.subject, event, f"e-{next(_NUMBERS)}", deployment.tenant) for event in events
    ]
    await producer.send_many(sent)


def _profile(deployment: Deployment, customer: str) -> wire.Profile:
    try:
        return deployment.profile(customer)
    except grpc.RpcError:
        return wire.Profile()


async def _until(true: Callable[[], Awaitable[bool]], within_s: float = 60) -> None:
    """Polls; raises `TimeoutError`."""
    async with asyncio.timeout(within_s):
        while not await true():  # noqa: ASYNC110
            await asyncio.sleep(0.2)


def _tuned(settings: Settings, good: str, bad: str) -> Version:
    said = (("positive", good), ("negative", bad))
    examples = [Example(label, f"{text} {word}") for _ in range(4) for label, text in said for word in FILL]
    recipe = Recipe("full", epochs=3, rate=2e-3)
    learned = learn("sentiment", examples, examples[:12], recipe, settings, lambda _: None)
    return Registry(settings.models.cache).make(learned.save, name="sentiment", kind=learned.kind)


def _types(settings: Settings) -> Version:
    """Loyal until the last order was some 35 days ago, Lapsing from then on."""
    weights = np.zeros((2, len(TYPE_FEATURES)), dtype=np.float32)
    weights[1, TYPE_FEATURES.index("days_since_order")] = 4.0
    kinds = tuple(Segment(f"type-{name.lower()}", name, "", 0.5, ()) for name in ("Loyal", "Lapsing"))
    model = LinearSegments("type", "", "", kinds, weights, np.array([14.3, 0], dtype=np.float32))
    return Registry(settings.models.cache).make(model.save, name=TYPE, kind="segments")
