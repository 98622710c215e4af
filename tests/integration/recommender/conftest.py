"""The recommender as it is joined in production, in this process, on real servers and a worker without weights."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import grpc
import numpy as np
import pytest

from deploy.local.ports import free_ports
from deploy.local.servers import EmbeddedServers
from rapport.bus.client import topic_name
from rapport.bus.reading import read_topic
from rapport.contracts.recommender.v1 import recommendation_service_pb2 as wire
from rapport.contracts.recommender.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from rapport.events.profiles import ProfileUpdated
from rapport.events.recommendations import ImpressionRecorded, RecommendationMade
from rapport.ops.settings import Settings, WorkerSettings
from rapport.serving.channel import WorkerChannel
from rapport.serving.encoder_client import EncoderClient
from rapport.vectors.connection import RedisConnection
from rapport.vectors.keys import Space
from rapport.vectors.serving_copy import ServingCopy
from services.recommender import worker
from services.recommender.bootstrap import parts
from services.recommender.settings import RecommenderSettings
from tests.integration.hosting import Hosted, Sender, own_settings, until
from tests.unit.recommender.goods import profile

# A database of the shared Redis that these tests may empty.
DATABASE = 8


class Deployment:
    """A broker's topics, a Redis database, a worker and a recommender; each of the two can be ended and begun anew."""

    def __init__(self, servers: EmbeddedServers, **more: Any) -> None:
        """`more`: settings of both processes."""
        api, worker_port = free_ports(2)
        common = own_settings(servers, DATABASE, partitions=3) | more
        self.settings = RecommenderSettings.model_validate(
            common | {"grpc": {"port": api, "drain_s": 0}, "worker": {"address": f"127.0.0.1:{worker_port}"}}
        )
        worker_settings = Settings.model_validate(
            common | {"worker": WorkerSettings(port=worker_port, backend="dummy")}
        )
        self.tenant = self.settings.tenant
        self.redis = RedisConnection(self.settings.redis)
        self.sender = Sender(self.settings.kafka, self.tenant)
        self.service = Hosted(lambda: parts(self.settings))
        self.worker = Hosted(lambda: worker.parts(worker_settings))

    def detail(self) -> str:
        return self.service.detail() + self.worker.detail()

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
        await self.sender.send(made)
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


@asynccontextmanager
async def deployed(servers: EmbeddedServers, **more: Any) -> AsyncIterator[Deployment]:
    """All of it, ready."""
    made = Deployment(servers, **more)
    await made.redis.start()
    await made.worker.start()
    await made.service.start()
    try:
        await made.sender.producer.start()
        await until(lambda: made.service.ready() and made.worker.ready(), 60, made.detail)
        yield made
    finally:
        await made.sender.producer.stop()
        await made.service.stop()
        await made.worker.stop()
        await made.redis.stop()


@pytest.fixture
async def deployment(servers: EmbeddedServers) -> AsyncIterator[Deployment]:
    async with deployed(servers) as made:
        yield made
