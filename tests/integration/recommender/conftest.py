"""The recommender as it is joined in production, in this process, on real servers and a worker without weights."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import grpc
import numpy as np
import pytest

from deploy.local.ports import free_ports
from deploy.local.servers import EmbeddedServers
from rapport.bus.client import topic_name
from rapport.bus.messages import Outgoing
from rapport.bus.producer import EventProducer
from rapport.bus.reading import read_topic
from rapport.contracts.recommender.v1 import recommendation_service_pb2 as wire
from rapport.contracts.recommender.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from rapport.events.base import Event
from rapport.events.behaviour import Behaviour
from rapport.events.catalog import ProductUpserted
from rapport.events.profiles import ProfileUpdated
from rapport.events.recommendations import ImpressionRecorded, RecommendationMade
from rapport.ops.roster import Roster
from rapport.ops.settings import RedisSettings, Settings, WorkerSettings
from rapport.serving.channel import WorkerChannel
from rapport.serving.encoder_client import EncoderClient
from rapport.testing import random_name
from rapport.vectors.connection import RedisConnection
from rapport.vectors.keys import Space
from rapport.vectors.serving_copy import ServingCopy
from services.recommender import worker
from services.recommender.bootstrap import parts
from services.recommender.settings import RecommenderSettings
from tests.unit.recommender.conftest import profile

# A database of the shared Redis that these tests may empty.
DATABASE = 8


class Deployment:
    """A broker's topics, a Redis database, a worker and a recommender; each of the two can be ended and begun anew."""

    def __init__(self, servers: EmbeddedServers) -> None:
        api, worker_port = free_ports(2)
        prefix = random_name("t") + "."
        url = servers.redis_url.rsplit("/", 1)[0] + f"/{DATABASE}"
        common: dict[str, Any] = {
            "tenant": random_name("shop"),
            "kafka": {
                "bootstrap_servers": servers.bootstrap_servers,
                "topic_prefix": prefix,
                "group_prefix": prefix,
                "session_timeout_s": 6,
                "partitions": 3,
            },
            "redis": {"url": url},
        }
        self.settings = RecommenderSettings.model_validate(
            common | {"grpc": {"port": api, "drain_s": 0}, "worker": {"address": f"127.0.0.1:{worker_port}"}}
        )
        self._worker_settings = Settings.model_validate(
            common | {"worker": WorkerSettings(port=worker_port, backend="dummy")}
        )
        self.tenant = self.settings.tenant
        self.redis = RedisConnection(RedisSettings.model_validate({"url": url}))
        self.producer = EventProducer("test", self.settings.kafka)
        self._service, self._worker = Roster(), Roster()
        self._sent = 0

    async def start(self) -> None:
        self._service = Roster()
        self._service.add(parts(self.settings))
        await self._service.start()
        self._service.complete = True

    async def stop(self) -> None:
        await self._service.stop()

    async def start_worker(self) -> None:
        self._worker = Roster()
        self._worker.add(worker.parts(self._worker_settings))
        await self._worker.start()
        self._worker.complete = True

    async def stop_worker(self) -> None:
        await self._worker.stop()

    def ready(self) -> bool:
        return all(health.live and health.ready for health in self._service.report().values())

    def worker_ready(self) -> bool:
        return all(health.live and health.ready for health in self._worker.report().values())

    def detail(self) -> str:
        return str(self._service.report() | self._worker.report())

    async def send(self, *events: Event) -> None:
        """Publishes behaviour, products or profiles, each with an id of its own."""
        await self.producer.send_many([self._outgoing(event) for event in events])

    async def delist(self, product_id: str) -> None:
        self._sent += 1
        await self.producer.send(Outgoing("catalog.v1", product_id, None, f"e-{self._sent}", self.tenant))

    async def profile(self, customer: str, needs: Mapping[str, str], **more: Any) -> ProfileUpdated:
        """Writes a profile as the profiler does: Redis first, then the topic."""
        channel = WorkerChannel(self.settings.worker.address, 5)
        await channel.start()
        embedded = await EncoderClient(channel).embed(list(needs.values()))
        await channel.stop()
        made = profile(customer, list(needs), encoder=embedded.model, **more)
        vectors = {"need": {customer: np.asarray(embedded.vectors)}}
        documents = {"profile": {customer: made.to_json()}}
        await ServingCopy(self.redis).put(self.tenant, documents, vectors, Space.parse(embedded.model))
        await self.send(made)
        return made

    async def recommend(self, customer: str = "", **more: Any) -> wire.Recommendation:
        answer: wire.RecommendResponse = await self.call(
            "Recommend", wire.RecommendRequest(customer_id=customer, tenant=self.tenant, **more)
        )
        return answer.recommendation

    async def call(self, method: str, request: Any) -> Any:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{self.settings.grpc.port}") as channel:
            return await getattr(RecommendationServiceStub(channel), method)(request, timeout=5)

    async def published(self) -> list[RecommendationMade | None]:
        topic = topic_name(self.settings.kafka, "recommendations.v1")
        records = [record async for record in read_topic(self.settings.kafka, topic)]
        return [RecommendationMade.model_validate_json(record.value) if record.value else None for record in records]

    async def impressions(self) -> list[ImpressionRecorded]:
        topic = topic_name(self.settings.kafka, "impressions.v1")
        records = [record async for record in read_topic(self.settings.kafka, topic)]
        return [ImpressionRecorded.model_validate_json(record.value) for record in records if record.value]

    def _outgoing(self, event: Event) -> Outgoing:
        self._sent += 1
        match event:
            case Behaviour():
                topic, key = "clickstream.v1", event.subject
            case ProductUpserted():
                topic, key = "catalog.v1", event.product_id
            case _:
                assert isinstance(event, ProfileUpdated)
                topic, key = "profiles.v1", event.customer_id
        return Outgoing(topic, key, event, f"e-{self._sent}", self.tenant)


async def until(true: Callable[[], Awaitable[bool] | bool], within_s: float, what: Callable[[], object]) -> float:
    """Polls; the seconds it took. Fails with what `what` says when it takes too long."""
    began = time.monotonic()
    while True:
        found = true()
        if found if isinstance(found, bool) else await found:
            return time.monotonic() - began
        assert time.monotonic() - began < within_s, f"not within {within_s} s: {what()}"
        await asyncio.sleep(0.02)


@pytest.fixture
async def deployment(servers: EmbeddedServers) -> AsyncIterator[Deployment]:
    """All of it, ready."""
    made = Deployment(servers)
    await made.redis.start()
    await made.start_worker()
    await made.start()
    try:
        await made.producer.start()
        await until(lambda: made.ready() and made.worker_ready(), 60, made.detail)
        yield made
    finally:
        await made.producer.stop()
        await made.stop()
        await made.stop_worker()
        await made.redis.stop()
