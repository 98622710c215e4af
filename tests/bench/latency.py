"""Event to recommendation on the whole stack: from the send of an event to the message that follows from it.

    python -m tests.bench.latency [--rates 50,200] [--seconds 40] [--stack FOLDER] [--json FILE]

Protocol: `./rapport up` without the demo's traffic, the demo shop's catalogue (some 300 products, real small models on
the CPU), everything on this machine, this client too. A plain aiokafka producer sends views, searches and purchases at
the given rate, evenly spaced: 300 returning customers, and every tenth event the first one of somebody new. Warm-up
30 s. A recommendation names the event that it follows from; its latency is the time from the call of send to its
arrival at a read_committed consumer. An event that changes no answer, or is overtaken by a newer one of the same
customer, has none and is not counted; `answered` says how many have one. "new customer": of those events alone, since
each of them must bring an answer. "profile": the same for profiles.v1.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from aiokafka import AIOKafkaConsumer

from tests.bench.figures import Row, percentile, report
from tests.e2e.api import api, eventually
from tests.e2e.page import Json, Page
from tests.e2e.shopfront import Publisher, publisher, subscription
from tests.e2e.stack import Stack, whole_stack

WARM_UP_S, SETTLE_S, REGULARS, NEW_EVERY = 30.0, 15.0, 300, 10
WATCHED = {"recommendations.v1": "recommendation", "profiles.v1": "profile"}


@dataclass(slots=True)
class Run:
    """When events were sent and what followed from them arrived, in seconds of one clock."""

    sent: dict[str, float] = field(default_factory=dict)
    new: set[str] = field(default_factory=set)
    """Events of new customers."""
    arrived: dict[str, dict[str, float]] = field(default_factory=lambda: {name: {} for name in WATCHED.values()})

    def row(self, rate: int, what: str, events: set[str]) -> Row:
        kind = "profile" if what == "profile" else "recommendation"
        found = self.arrived[kind]
        times = [1000 * (found[event] - self.sent[event]) for event in events if event in found]
        answered = f"{len(times)}/{len(events)}"
        figures = {name: percentile(times, share) if times else None for name, share in _SHARES.items()}
        return {"events/s": rate, "what": what, "answered": answered, **figures}


_SHARES: Mapping[str, float] = {"p50 ms": 0.5, "p90 ms": 0.9, "p99 ms": 0.99, "max ms": 1.0}


def behaviour(products: list[str], chance: random.Random, number: int, run: str) -> tuple[str, Json]:
    """Mostly views; some searches, cart additions and purchases."""
    newcomer = number % NEW_EVERY == 0
    customer = f"bench-{run}-new-{number}" if newcomer else f"bench-regular-{chance.randrange(REGULARS)}"
    about: Json = {"customer_id": customer}
    product, dice = chance.choice(products), 0.0 if newcomer else chance.random()
    if dice < 0.8:
        return "product_viewed", about | {"product_id": product}
    if dice < 0.9:
        return "product_added", about | {"product_id": product}
    if dice < 0.95:
        return "products_searched", about | {"query": f"something like {product} {number % 50}"}
    order = {"order_id": uuid.uuid4().hex, "total": "49.00", "currency": "EUR"}
    return "order_completed", about | order | {"products": [{"product_id": product}]}


async def measure(stack: Stack, page: Page, products: list[str], rate: int, seconds: float) -> Run:
    """One run at one rate."""
    run, chance, name = Run(), random.Random(rate), uuid.uuid4().hex[:8]
    topics = {page.address(channel): kind for channel, kind in WATCHED.items()}
    consumer = AIOKafkaConsumer(
        *topics, bootstrap_servers=stack.bootstrap_servers, isolation_level="read_committed", auto_offset_reset="latest"
    )
    await consumer.start()
    await consumer.seek_to_end()
    reading = asyncio.create_task(_read(consumer, topics, run))
    async with publisher(page, stack.bootstrap_servers) as shop:
        sending: set[asyncio.Task[None]] = set()
        began = time.perf_counter()
        for number in range(int(rate * (WARM_UP_S + seconds))):
            await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            counted = number >= rate * WARM_UP_S
            task = asyncio.create_task(_send(shop, behaviour(products, chance, number, name), run, counted))
            sending.add(task)
            task.add_done_callback(sending.discard)
        await asyncio.gather(*sending)
    await _settled(run)
    reading.cancel()
    await asyncio.wait({reading})
    await consumer.stop()
    return run


async def _send(shop: Publisher, event: tuple[str, Json], run: Run, counted: bool) -> None:
    name, payload = event
    event_id = uuid.uuid4().hex
    if counted:
        run.sent[event_id] = time.perf_counter()
        if "-new-" in payload["customer_id"]:
            run.new.add(event_id)
    await shop.publish(name, payload, ce_id=event_id)


async def _read(consumer: AIOKafkaConsumer, topics: Mapping[str, str], run: Run) -> None:
    async for record in consumer:
        # The whole payload is not needed: decoding it would only make this client slower.
        at = time.perf_counter()
        trigger = record.value.rpartition(b'"trigger_event_id":"')[2].split(b'"', maxsplit=1)[0].decode()
        if trigger in run.sent:
            run.arrived[topics[record.topic]].setdefault(trigger, at)


async def _settled(run: Run) -> None:
    """All new customers have an answer, or the time for that is over."""
    deadline = time.monotonic() + SETTLE_S
    while time.monotonic() < deadline:
        if run.new <= run.arrived["recommendation"].keys():
            return
        await asyncio.sleep(0.2)


async def stocked(stack: Stack, page: Page) -> list[str]:
    """The demo shop's products, once the last ones are embedded and can be recommended."""
    stack.rapport("demo", "catalog")
    async with subscription(page, "catalog.v1", stack.bootstrap_servers) as catalog:
        products = sorted({read.key for read in await catalog.all()})
    async with api(stack) as gateway:
        for product in products[:: len(products) // 10]:
            await eventually(
                partial(gateway.client.get, f"/v1/similar/{product}"),
                lambda answer: all(item.get("source_scores") for item in answer.json().get("items", [{}])),
                180,
            )
    return products


async def main(stack: Stack, rates: list[int], seconds: float, file: Path | None) -> None:
    page = Page()
    products, rows = await stocked(stack, page), []
    for rate in rates:
        run = await measure(stack, page, products, rate, seconds)
        rows += [
            run.row(rate, "recommendation", set(run.sent)),
            run.row(rate, "new customer", run.new),
            run.row(rate, "profile", set(run.sent)),
        ]
        report(__doc__ or "", rows[-3:], None)
    report(__doc__ or "", rows, file)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rates", default="50,200", help="Events a second, comma-separated.")
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--stack", type=Path, help="State folder of a running stack; else one is started.")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    chosen: AbstractContextManager[Stack] = nullcontext(Stack(given.stack)) if given.stack else whole_stack()
    with chosen as running:
        asyncio.run(main(running, [int(rate) for rate in given.rates.split(",")], given.seconds, given.json))
