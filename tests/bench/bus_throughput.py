"""Events per second through our consumers against two peers, on a real broker, in one run.

    python -m tests.bench.bus_throughput [events]

Each reads the same topic (3 partitions, 1,000 customers, `product_viewed` as our producer writes it) from the
beginning, in a group of its own, one after the other, in one process. Time: from the first event handled to the last.
Peers:

- plain: an aiokafka loop (`getmany`, JSON decoded, a dict counts per customer, offsets committed per read).
- naive Faust: an agent that takes one event at a time and counts in a table with its changelog; default settings but
  for the linger.

Both are at least once. Ours decode the CloudEvent and validate the payload, leave out duplicates, and commit effects
and offsets together.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import faust
from faust.types import StreamT

from deploy.local.servers import EmbeddedServers
from rapport.bus.client import reader, topic_name
from rapport.bus.consumer import HandlerConsumer
from rapport.bus.messages import Handler, KeyedState, Message, Outgoing
from rapport.bus.producer import EventProducer
from rapport.bus.stateful import StatefulConsumer
from rapport.ops.parts import Part
from rapport.ops.settings import Settings
from tests.integration.bus.support import IN, answer, fresh, living, until, viewed

EVENTS, CUSTOMERS, LONGEST_S = 30_000, 1000, 300.0


class Meter:
    """Events handled, and by how much wall time and processor time between the first and the last."""

    def __init__(self, wanted: int) -> None:
        self._wanted, self._count = wanted, 0
        self._began = self._ended = (0.0, 0.0)

    def add(self, count: int) -> None:
        now = (time.perf_counter(), time.process_time())
        if not self._count:
            self._began = now
        self._count += count
        if self._count >= self._wanted:
            self._ended = now

    def done(self) -> bool:
        return self._count >= self._wanted

    def rates(self) -> tuple[float, float]:
        """Events per second, and per second of this process's own processor time."""
        wall, cpu = (self._wanted / (end - begin) for end, begin in zip(self._ended, self._began, strict=True))
        return wall, cpu


async def plain(settings: Settings, meter: Meter) -> None:
    """The aiokafka peer."""
    counts: Counter[str] = Counter()
    consumer = reader(settings.kafka, topic_name(settings.kafka, IN), group_id=f"{settings.kafka.group_prefix}plain")
    await consumer.start()
    try:
        while not meter.done():
            batches = await consumer.getmany(timeout_ms=200, max_records=500)
            records = [record for batch in batches.values() for record in batch]
            for record in records:
                counts[json.loads(record.value)["customer_id"]] += 1
            if records:
                await consumer.commit()
                meter.add(len(records))
    finally:
        await consumer.stop()


async def naive_faust(settings: Settings, meter: Meter) -> None:
    """The Faust peer."""
    app = faust.App(
        f"{settings.kafka.group_prefix}naive",
        broker=f"kafka://{settings.kafka.bootstrap_servers}",
        topic_partitions=settings.kafka.partitions,
        topic_disable_leader=True,
        web_enabled=False,
        store="memory://",
        datadir=tempfile.mkdtemp(prefix="rapport-bench-"),
        producer_linger=0.005,
    )
    counts = app.Table("counts", default=int, partitions=settings.kafka.partitions)

    @app.agent(app.topic(topic_name(settings.kafka, IN), value_serializer="json"))
    async def count(stream: StreamT[Any]) -> None:
        async for event in stream:
            counts[event["customer_id"]] += 1
            meter.add(1)

    starting = asyncio.create_task(app.start())
    await until(meter.done, LONGEST_S)
    await app.stop()
    await starting


async def ours(part: Part, meter: Meter) -> None:
    """One of ours, until it has counted all and committed."""
    async with living(part):
        await until(meter.done, LONGEST_S)


def counting_only(meter: Meter) -> Handler:
    counts: Counter[str] = Counter()

    async def handler(messages: Sequence[Message]) -> Sequence[Outgoing]:
        for message in messages:
            counts[message.key] += 1
        meter.add(len(messages))
        return ()

    return handler


def answering(meter: Meter) -> Handler:
    async def handler(messages: Sequence[Message]) -> Sequence[Outgoing]:
        meter.add(len(messages))
        return [answer(message, f"out-{message.envelope.id}") for message in messages]

    return handler


def keyed(state: KeyedState, meter: Meter) -> Handler:
    """Counts per customer; state is written once a key and batch."""

    async def handler(messages: Sequence[Message]) -> Sequence[Outgoing]:
        for message in messages:
            state.put(message.key, str(int(state.get(message.key) or 0) + 1).encode(), message.position)
        meter.add(len(messages))
        return ()

    return handler


async def main(events: int) -> None:
    with EmbeddedServers() as servers:
        settings = await fresh(servers.bootstrap_servers)
        producer = EventProducer("bench", settings.kafka)
        async with living(producer):
            began = time.perf_counter()
            for first in range(0, events, 1000):
                await producer.send_many([viewed(n, CUSTOMERS) for n in range(first, min(events, first + 1000))])
            print(f"{'EventProducer.send_many':34}{events / (time.perf_counter() - began):10,.0f} events/s")
        rates = await _rates(settings, events)
    print(f"{'':34}{'events/s':>10}{'x plain':>9}{'x Faust':>9}{'per CPU s':>12}{'x plain':>9}{'x Faust':>9}")
    for name, (wall, cpu) in rates.items():
        line = f"{name:34}"
        for rate, index in ((wall, 0), (cpu, 1)):
            to_plain, to_naive = rate / rates["plain aiokafka"][index], rate / rates["naive Faust"][index]
            line += f"{rate:{12 if index else 10},.0f}{to_plain:9.2f}{to_naive:9.1f}"
        print(line)


async def _rates(settings: Settings, events: int) -> dict[str, tuple[float, float]]:
    on = {name: settings.model_copy(update={"kafka": settings.kafka.model_copy(update={"stateful_runtime": name})})
          for name in ("faust", "aiokafka")}  # fmt: skip
    meters = [Meter(events) for _ in range(6)]
    await plain(settings, meters[0])
    await naive_faust(settings, meters[1])
    await ours(HandlerConsumer("count", [IN], counting_only(meters[2]), settings), meters[2])
    await ours(HandlerConsumer("answer", [IN], answering(meters[3]), settings), meters[3])
    await ours(StatefulConsumer("keyed-f", IN, lambda state: keyed(state, meters[4]), on["faust"]), meters[4])
    await ours(StatefulConsumer("keyed-a", IN, lambda state: keyed(state, meters[5]), on["aiokafka"]), meters[5])
    names = ("plain aiokafka", "naive Faust", "HandlerConsumer", "HandlerConsumer, one output each",
             "StatefulConsumer (faust)", "StatefulConsumer (aiokafka)")  # fmt: skip
    return {name: meter.rates() for name, meter in zip(names, meters, strict=True)}


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS))
