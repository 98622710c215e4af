"""A peer: the profiler's handler in a Faust agent as one writes it first, one event and one awaited send at a time."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faust
from faust.types import StreamT

from deploy.local.servers import EmbeddedServers
from rapport.bus.client import topic_name
from rapport.bus.messages import Position
from rapport.bus.records import Record, message_of, sending_of
from rapport.ops.settings import RedisSettings, Settings
from rapport.serving.channel import WorkerChannel
from rapport.serving.classifier_client import ClassifierClient
from rapport.serving.encoder_client import EncoderClient
from rapport.vectors.connection import RedisConnection
from rapport.vectors.serving_copy import ServingCopy
from services.profiler.adapters.codec import CustomerCodec
from services.profiler.adapters.copies import RedisCopies
from services.profiler.adapters.encoder import CachedEncoder
from services.profiler.adapters.moods import ClassifiedMoods
from services.profiler.adapters.states import KeyedCustomers
from services.profiler.bootstrap import rules_of
from services.profiler.domain.observation import Product
from services.profiler.handlers import profile_behaviour
from services.profiler.ports import Ports
from services.profiler.settings import ProfilerSection
from tests.bench.bus_throughput import Meter
from tests.integration.bus.support import living, until
from tests.integration.profiler.conftest import Deployment
from tests.integration.profiler.conftest import until as until_now

_LONGEST_S = 600.0


@dataclass(slots=True)
class TableState:
    """A Faust table as the state of one key after the other; nothing is known of offsets."""

    table: Any

    def get(self, key: str) -> bytes | None:
        found: bytes | None = self.table.get(key.encode())
        return found

    def includes(self, key: str, position: Position) -> bool:
        return False

    def put(self, key: str, value: bytes, position: Position) -> None:
        self.table[key.encode()] = value

    def delete(self, key: str) -> None:
        self.table.pop(key.encode(), None)


class Nothing:
    """A catalogue without products: the events name what they are about."""

    def product(self, tenant: str, product_id: str) -> Product | None:
        return None


async def naive_profiler(servers: EmbeddedServers, settings: Settings, meter: Meter) -> None:
    """Until `meter` has all."""
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as folder:
        deployment = Deployment(servers, Path(folder))
        deployment.worker.start()
        try:
            until_now(deployment.worker.ready, 60, "the worker is ready")
            channel = WorkerChannel(deployment.worker_address, settings.worker.timeout_s)
            redis = RedisConnection(RedisSettings.model_validate({"url": deployment.redis_url}))
            async with living(redis, channel):
                ports = Ports(
                    Nothing(),
                    CachedEncoder(EncoderClient(channel), ProfilerSection().cached_texts),
                    ClassifiedMoods(ClassifierClient(channel)),
                    RedisCopies(ServingCopy(redis)),
                )
                await _run(_app(settings, ports, meter, folder), meter)
        finally:
            deployment.worker.kill()


def _app(settings: Settings, ports: Ports, meter: Meter, folder: str) -> faust.App:
    app = faust.App(
        f"{settings.kafka.group_prefix}naive-profiler",
        broker=f"kafka://{settings.kafka.bootstrap_servers}",
        topic_partitions=settings.kafka.partitions,
        topic_disable_leader=True,
        web_enabled=False,
        store="memory://",
        datadir=folder,
        producer_linger=0.005,
    )
    raw: Any = faust.Schema(key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
    table = app.Table("customers", schema=raw)
    states, rules = KeyedCustomers(TableState(table), CustomerCodec()), rules_of(ProfilerSection())
    profiles = app.topic(topic_name(settings.kafka, "profiles.v1"), value_serializer="raw", key_serializer="raw")
    source = app.topic(topic_name(settings.kafka, "clickstream.v1"), value_serializer="raw", key_serializer="raw")

    @app.agent(source)
    async def profile(stream: StreamT[Any]) -> None:
        async for event in stream.events():
            read = event.message
            record = Record.of(read, tuple(read.headers or ()), int(read.timestamp * 1000))
            message = message_of(record, settings)
            for outgoing in await profile_behaviour([message], states, ports, rules):
                sending = sending_of(outgoing, "bench", settings.kafka)
                await profiles.send(key=sending.key, value=sending.value, headers=dict(sending.headers))
            meter.add(1)

    return app


async def _run(app: faust.App, meter: Meter) -> None:
    starting = asyncio.create_task(app.start())
    await until(meter.done, _LONGEST_S)
    await app.stop()
    await starting
