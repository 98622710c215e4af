"""How long a new replica takes to have all customers, and what they weigh.

    python -m tests.bench.profiler.recovery [--customers 100000] [--json FILE]

Protocol: real Kafka and Redis on this machine, 6 partitions, a worker without weights. One customer is made by the
profiler's own handler (three needs of 384 dimensions, four visits, two orders, a full trail); as many states as asked
for, each under a key of its own, are written to the changelog. Then a profiler starts with a Redis that is empty.
Ready: `/health/ready` of the process, everything restored. Copies: the last of the customers is answered from Redis.
Memory: of the profiler, less that of one that has nobody; and of Redis.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psutil
import redis

from deploy.local.servers import EmbeddedServers
from rapport.bus.client import topic_name
from rapport.bus.keyed_state import Entry
from rapport.bus.producer import EventProducer
from rapport.bus.records import Sending
from rapport.bus.topics import ensure_topics
from rapport.events.behaviour import Behaviour
from rapport.events.topics import TOPICS
from rapport.ops.settings import Settings
from rapport.testing import FakeEncoder, MemoryKeyedState, MemoryKeyValues, message, ordered, searched, viewed
from rapport.testing.events import BEGIN
from rapport.vectors.serving_copy import ServingCopy
from services.profiler.adapters.codec import CustomerCodec
from services.profiler.adapters.copies import RedisCopies
from services.profiler.adapters.encoder import CachedEncoder
from services.profiler.adapters.moods import ClassifiedMoods
from services.profiler.adapters.states import KeyedCustomers, state_key
from services.profiler.domain.rules import Rules
from services.profiler.handlers import profile_behaviour
from services.profiler.ports import Ports
from tests.bench.figures import Row, report
from tests.bench.naive_profiler import Nothing
from tests.integration.bus.support import living
from tests.integration.profiler.conftest import Deployment, until

_WITHIN_S, _AT_ONCE = 600.0, 5000
_ENCODER = "rapport/dummy-encoder@1"


async def somebody() -> bytes:
    """A customer's state."""
    state, codec, encoder = MemoryKeyedState(), CustomerCodec(), FakeEncoder(384, _ENCODER)
    classifier = ClassifiedMoods(encoder)  # type: ignore[arg-type]  # nobody reviews anything here
    ports = Ports(Nothing(), CachedEncoder(encoder, 1000), classifier, RedisCopies(ServingCopy(MemoryKeyValues())))
    known = {
        "category": "Shoes",
        "brand": "Ridge",
        "price": "90.00",
        "currency": "EUR",
        "context": {"device": "mobile"},
    }
    for visit in range(4):
        acts: list[Behaviour] = [
            viewed("c", f"p-{visit}-{number}", name=f"Trail shoe {number}", **known) for number in range(4)
        ]
        acts += [searched("c", "quiet headphones"), searched("c", "moka pot"), ordered("c", f"o-{visit // 2}", "p-1")]
        moment = BEGIN + timedelta(days=visit)
        batch = [
            message(act, visit * 10 + number, at=moment + timedelta(minutes=number)) for number, act in enumerate(acts)
        ]
        await profile_behaviour(batch, KeyedCustomers(state, codec), ports, Rules())
    stored = state.get(state_key(("default", "c")))
    assert stored is not None
    return stored


async def fill(deployment: Deployment, customers: int, state: bytes) -> None:
    await ensure_topics(deployment.kafka, TOPICS.values())
    changelog = topic_name(deployment.kafka, "profiler.state.v1")
    producer = EventProducer("bench", deployment.kafka)
    async with living(producer):
        for first in range(0, customers, _AT_ONCE):
            numbers = range(first, min(customers, first + _AT_ONCE))
            await producer.send_records([_entry(deployment, changelog, number, state) for number in numbers])


def _entry(deployment: Deployment, changelog: str, number: int, state: bytes) -> Sending:
    key = state_key((deployment.tenant, f"customer-{number:06d}")).encode()
    partition = number % deployment.kafka.partitions
    return Sending(changelog, key, Entry(state, {partition: 0}).pack(), (), partition)


@dataclass(frozen=True, slots=True)
class Start:
    """A profiler that has just become ready."""

    seconds: float
    cpu_s: float
    memory: int
    """Bytes."""


def started(deployment: Deployment) -> Start:
    began = time.perf_counter()
    deployment.profiler.start()
    until(deployment.profiler.ready, _WITHIN_S, "the profiler is ready")
    process = psutil.Process(deployment.profiler.pid)
    return Start(time.perf_counter() - began, sum(process.cpu_times()[:2]), process.memory_info().rss)


async def measure(customers: int) -> list[Row]:
    state = await somebody()
    with EmbeddedServers() as servers, tempfile.TemporaryDirectory(prefix="rapport-bench-") as folder:
        deployment = Deployment(servers, Path(folder))
        await ensure_topics(Settings(kafka=deployment.kafka).kafka, TOPICS.values())
        deployment.worker.start()
        until(deployment.worker.ready, _WITHIN_S, "the worker is ready")
        try:
            empty = started(deployment)
            deployment.profiler.kill()
            await fill(deployment, customers, state)
            full = started(deployment)
            began = time.perf_counter()
            await asyncio.to_thread(until, lambda: _served(deployment, customers), _WITHIN_S, "all copies are there")
            copies_s = time.perf_counter() - began
            with redis.Redis.from_url(deployment.redis_url) as client:
                kept = int(client.info("memory")["used_memory"])
        finally:
            deployment.profiler.kill()
            deployment.worker.kill()
    return [
        {"what": "state of one customer, bytes", "value": len(state)},
        {"what": "ready with nobody, s", "value": empty.seconds},
        {"what": "of it CPU, s", "value": empty.cpu_s},
        {"what": f"ready with {customers} customers, s", "value": full.seconds},
        {"what": "of it CPU of the profiler, s", "value": full.cpu_s},
        {"what": "then all serving copies, s", "value": copies_s},
        {"what": "profiler, MB more", "value": (full.memory - empty.memory) / 1e6},
        {"what": "Redis, MB", "value": kept / 1e6},
    ]


def _served(deployment: Deployment, customers: int) -> bool:
    """Copies are written in the order of the partitions; each partition's last is asked for."""
    last = range(customers - deployment.kafka.partitions, customers)
    return all(deployment.event_count(f"customer-{number:06d}") for number in last)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    report(__doc__ or "", asyncio.run(measure(given.customers)), given.json)
