"""Events a second through the whole profiler, beside three peers on the same topic in the same run.

    python -m tests.bench.profiler_throughput [--events 20000] [--rounds 3] [--json FILE]

Protocol: real Kafka and Redis on this machine, a model worker without weights (its answers cost next to nothing, so
that what is measured is ours), 6 partitions, 1,000 customers in turn, views of 300 products, some 400 bytes an event,
all of them on the topic before a reader starts. Each reads them from the beginning, one after the other, `--rounds`
times; the median counts. Time: from the first events done with to the last. CPU: of the reader's own process.

- profiler: `python -m services.profiler`, as it is: sessions, affinities, needs from embedded texts; state with its
  changelog, serving copies in Redis and profiles.v1, all of it before the offset is committed.
- plain aiokafka: `getmany`, JSON decoded, a dict counts per customer, offsets committed per read. Keeps nothing.
- naive Faust: an agent that takes one event at a time and counts in a table with its changelog. No other effect.
- naive Faust profiler: the profiler's own handler in such an agent: one event at a time, one awaited send each. It
  reads a tenth of the events.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from deploy.local.servers import EmbeddedServers
from rapport.bus.client import topic_name
from rapport.bus.messages import Outgoing
from rapport.bus.producer import EventProducer
from rapport.bus.topics import ensure_topics
from rapport.events.behaviour import ProductViewed
from rapport.events.topics import TOPICS
from rapport.ops.settings import Settings
from tests.bench.bus_throughput import Meter, naive_faust, plain
from tests.bench.figures import Row, report
from tests.bench.naive_profiler import naive_profiler
from tests.chaos.lag import Ends, Observer
from tests.integration.bus.support import living
from tests.integration.profiler.conftest import Deployment, until

CUSTOMERS, PRODUCTS, KINDS, READY_S, LONGEST_S = 1000, 300, 20, 60.0, 600.0
TOPIC = "clickstream.v1"
Rates = tuple[float, float]
"""Events a second of wall time, and of the process's own processor time."""


def viewed(number: int, tenant: str) -> Outgoing:
    customer, product = f"customer-{number % CUSTOMERS}", number * 7 % PRODUCTS
    event = ProductViewed.model_validate(
        {
            "customer_id": customer,
            "product_id": f"product-{product}",
            "name": f"Product {product} of the kind that is the {product % KINDS}th",
            "category": f"Kind {product % KINDS}",
            "brand": f"Brand {product % 7}",
            "price": "49.90",
            "currency": "EUR",
        }
    )
    return Outgoing(TOPIC, customer, event, f"bench-{number}", tenant)


async def fill(settings: Settings, events: int, topic_prefix: str) -> Settings:
    """Events on a topic of its own."""
    kafka = settings.kafka.model_copy(update={"topic_prefix": topic_prefix, "group_prefix": topic_prefix})
    own = settings.model_copy(update={"kafka": kafka})
    await ensure_topics(kafka, TOPICS.values())
    producer = EventProducer("bench", kafka)
    async with living(producer):
        for first in range(0, events, 1000):
            last = min(events, first + 1000)
            await producer.send_many([viewed(number, settings.tenant) for number in range(first, last)])
    return own


async def profiler(servers: EmbeddedServers, events: int) -> Rates:
    """The two processes, ended afterwards."""
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as folder:
        deployment = Deployment(servers, Path(folder))
        own = Settings(tenant=deployment.tenant, kafka=deployment.kafka)
        await fill(own, events, deployment.kafka.topic_prefix)
        deployment.worker.start()
        try:
            until(deployment.worker.ready, READY_S, "the worker is ready")
            deployment.profiler.start()
            async with Observer(servers.bootstrap_servers, deployment.kafka.group_prefix) as observer:
                return await _watched(observer, deployment, events)
        finally:
            deployment.profiler.kill()
            deployment.worker.kill()


async def _watched(observer: Observer, deployment: Deployment, events: int) -> Rates:
    group = f"{deployment.kafka.group_prefix}profiler"
    process = psutil.Process(deployment.profiler.pid)
    first: tuple[int, float, float] | None = None
    deadline = time.monotonic() + LONGEST_S
    while True:
        committed: Ends = (await observer.committed()).get(group, {})
        source = topic_name(deployment.kafka, TOPIC)
        done = sum(offset for place, offset in committed.items() if place.topic == source)
        now, used = time.perf_counter(), sum(process.cpu_times()[:2])
        if done and first is None:
            first = done, now, used
        if first is not None and done >= events:
            return (events - first[0]) / (now - first[1]), (events - first[0]) / (used - first[2])
        assert time.monotonic() < deadline, f"{done} of {events} after {LONGEST_S} s"
        await asyncio.sleep(0.1)


async def peers(servers: EmbeddedServers, settings: Settings, events: int, run: str) -> dict[str, Rates]:
    topic = await fill(settings, events, f"{run}.")
    short = await fill(settings, events // 10, f"{run}s.")
    meters = {
        "plain aiokafka": Meter(events),
        "naive Faust": Meter(events),
        "naive Faust profiler": Meter(events // 10),
    }
    await plain(topic, meters["plain aiokafka"])
    await naive_faust(topic, meters["naive Faust"])
    await naive_profiler(servers, short, meters["naive Faust profiler"])
    return {name: meter.rates() for name, meter in meters.items()}


def rows(found: Sequence[dict[str, Rates]]) -> list[Row]:
    """Medians, and the profiler's as ratios to each."""
    medians = {name: [statistics.median(round_[name][at] for round_ in found) for at in (0, 1)] for name in found[0]}
    own = medians["profiler"]
    return [
        {
            "reader": name,
            "events/s": wall,
            "per CPU s": cpu,
            "profiler is": f"{own[0] / wall:.3g} x",
            "by CPU": f"{own[1] / cpu:.3g} x",
        }
        for name, (wall, cpu) in medians.items()
    ]


async def main(events: int, rounds: int, file: Path | None) -> None:
    found = []
    with EmbeddedServers() as servers:
        settings = Settings(kafka={"bootstrap_servers": servers.bootstrap_servers})
        for number in range(rounds):
            rates = {"profiler": await profiler(servers, events)}
            found.append(rates | await peers(servers, settings, events, f"round{number}"))
    report(__doc__ or "", rows(found), file)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    asyncio.run(main(given.events, given.rounds, given.json))
