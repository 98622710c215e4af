"""A steady load whose every event is known, and arrives though the broker comes and goes."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count

import httpx
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from tests.chaos.ledger import PRICE, PRODUCTS, Ledger
from tests.e2e.goods import CURRENCY
from tests.e2e.page import Json, Page
from tests.e2e.shopfront import Publisher
from tests.e2e.stack import Stack

RATE = 100
# A broker that is away answers nobody; the same event, with the same id, is sent again after this.
_ANSWER_WITHIN_MS = 15_000
# More than any of our disturbances lasts.
_TAKEN_WITHIN_S = 180.0
# Page views come over HTTP, all else straight from Kafka.
BY_GATEWAY = "page_viewed"
_KINDS = ("Camping stoves", "Board games", "Bird feeders")


class Load:
    """`RATE` behaviour events a second; beside them now and then an order, a question, a brief, a changed product, and
    a page view by way of the gateway."""

    def __init__(self, shop: Publisher, gateway: httpx.AsyncClient, ledger: Ledger) -> None:
        self.ledger = ledger
        self._shop, self._gateway = shop, gateway
        self._under_way: set[asyncio.Task[None]] = set()
        self._stopped = False

    async def stock(self) -> None:
        """The products, before anybody looks at them."""
        await asyncio.gather(*(self._deliver(*product_event(self.ledger, number, 0)) for number in range(PRODUCTS)))

    async def run(self) -> None:
        """Until `stop`."""
        events, began = everything(self.ledger), time.monotonic()
        for number in count():
            if self._stopped:
                return
            for event, payload in next(events):
                task = asyncio.create_task(self._deliver(event, payload))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)
            await asyncio.sleep(max(0.0, began + number / RATE - time.monotonic()))

    async def stop(self) -> None:
        """No more events; returns once all that were begun are stored."""
        self._stopped = True
        await asyncio.gather(*self._under_way)

    async def _deliver(self, event: str, payload: Json) -> None:
        event_id, deadline = uuid.uuid4().hex, time.monotonic() + _TAKEN_WITHIN_S
        while not await self._taken(event, payload, event_id):
            assert time.monotonic() < deadline, f"nobody takes events any more: {event}"
            # It may have been stored all the same: the id is what tells.
            await asyncio.sleep(0.5)
        self.ledger.note(event, payload)

    async def _taken(self, event: str, payload: Json, event_id: str) -> bool:
        try:
            if event == BY_GATEWAY:
                call = {"userId": payload["customer_id"], "name": "Home", "messageId": event_id}
                answer = await self._gateway.post("/v1/page", json=call)
                return answer.status_code == 200
            await self._shop.publish(event, payload, ce_id=event_id)
        except (KafkaError, httpx.TransportError):
            return False
        return True


@asynccontextmanager
async def steady_load(page: Page, stack: Stack) -> AsyncIterator[Load]:
    """The load while the block runs; stopped in order at its end."""
    ledger = Ledger(uuid.uuid4().hex[:8], datetime.now(UTC).replace(microsecond=0))
    producer = AIOKafkaProducer(
        bootstrap_servers=stack.bootstrap_servers, acks="all", request_timeout_ms=_ANSWER_WITHIN_MS
    )
    await producer.start()
    try:
        async with httpx.AsyncClient(
            base_url=stack.address("gateway"), auth=(stack.write_key, ""), timeout=30
        ) as gateway:
            load = Load(Publisher(page, producer), gateway, ledger)
            await load.stock()
            running = asyncio.create_task(load.run())
            try:
                yield load
            finally:
                await load.stop()
                await running
    finally:
        await producer.stop()


def everything(ledger: Ledger) -> Iterator[list[tuple[str, Json]]]:
    """Step by step: a behaviour event each, and what comes with some of them."""
    for number in count():
        events = [behaviour(ledger, number)]
        if number % RATE == 10:
            events.append(question(ledger, number))
        if number % RATE == 60:
            events.append((BY_GATEWAY, {"customer_id": ledger.customer(number)}))
        if number % (2 * RATE) == 20:
            events.append(order_state(ledger, number))
            events.append(product_event(ledger, number // (2 * RATE), number))
        if number % (5 * RATE) == 30:
            events.append(brief(ledger, number))
        yield events


def behaviour(ledger: Ledger, number: int) -> tuple[str, Json]:
    """Mostly views; by turns an addition to the cart, a search that nobody made before, an order of two products."""
    turn, products = number // 7, ledger.products_of(number)
    about: Json = {"customer_id": ledger.customer(number), "occurred_at": ledger.at.isoformat()}
    match number % 20:
        case 3 | 11 | 17:
            return "product_added", about | {"product_id": products[turn % len(products)]}
        case 7:
            return "products_searched", about | {"query": f"{_KINDS[turn % len(_KINDS)]} number {number}"}
        case 13:
            chosen = (products[turn % 5], products[(turn + 1) % 5])
            lines = [{"product_id": product, "price": str(PRICE), "currency": CURRENCY} for product in chosen]
            order = {"order_id": f"chaos-{ledger.run}-order-{number}", "total": str(2 * PRICE), "currency": CURRENCY}
            return "order_completed", about | order | {"products": lines}
        case _:
            return "product_viewed", about | {"product_id": products[turn % len(products)]}


def product_event(ledger: Ledger, number: int, edition: int) -> tuple[str, Json]:
    kind = _KINDS[number % len(_KINDS)]
    title = f"{kind} {number % PRODUCTS}, edition {edition}"
    return "product_upserted", {
        "product_id": ledger.product(number),
        "title": {"en": title},
        "category": ["Shop", kind],
        "price": str(PRICE),
        "currency": CURRENCY,
        "stock": 100,
    }


def question(ledger: Ledger, number: int) -> tuple[str, Json]:
    id_ = f"chaos-{ledger.run}-message-{number}"
    return "chat_message", {
        "conversation_id": id_,
        "message_id": id_,
        "text": f"Question {number}: how many days do I have to send something back?",
    }


def order_state(ledger: Ledger, number: int) -> tuple[str, Json]:
    return "order_updated", {
        "order_id": f"chaos-{ledger.run}-order-{number}",
        "customer_id": ledger.customer(number),
        "status": "paid",
        "placed_at": ledger.at.isoformat(),
        "updated_at": ledger.at.isoformat(),
    }


def brief(ledger: Ledger, number: int) -> tuple[str, Json]:
    return "content_requested", {
        "request_id": f"chaos-{ledger.run}-brief-{number}",
        "kind": "subject_line",
        "channel": "email",
        "language": "zh",
        "product_ids": [ledger.product(number)],
    }
