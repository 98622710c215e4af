"""Use cases: fill the shelves, tell where the orders stand, let the shoppers in."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, islice

from rapport.bus.messages import Outgoing
from rapport.bus.ports import Publisher
from rapport.events.base import Event
from rapport.events.knowledge import ArticleUpserted
from rapport.events.orders import OrderUpdated
from services.demo.domain.goods import Catalog
from services.demo.domain.world import TimedEvent

# Events that are handed to the producer at once: large enough to fill its batches, small enough to stop in between.
BATCH = 500


async def publish_goods(
    publisher: Publisher, catalog: Catalog, articles: Sequence[ArticleUpserted], tenant: str
) -> None:
    """All products and articles. Their ids follow from the content: publishing them again changes nothing."""
    products = [_outgoing("catalog.v1", product.id, product.upserted(), tenant) for product in catalog.products]
    helps = [_outgoing("knowledge.v1", article.article_id, article, tenant) for article in articles]
    await publisher.send_many([*products, *helps])


async def publish_backlog(
    publisher: Publisher, events: Iterator[TimedEvent], until: datetime, tenant: str
) -> Iterator[TimedEvent]:
    """Plays what happened before `until`, of which the newest state of each order is published.

    So that a shop that has just opened has orders under way. Gives the events from `until` on.
    """
    orders: dict[str, TimedEvent] = {}
    for number, timed in enumerate(events):
        if timed.time >= until:
            await publisher.send_many([outgoing(order, tenant) for order in orders.values()])
            return chain([timed], events)
        if isinstance(timed.event, OrderUpdated):
            orders[timed.key] = timed
        if number % BATCH == 0:
            await asyncio.sleep(0)
    return events


async def publish_in_time(
    publisher: Publisher,
    events: Iterable[TimedEvent],
    tenant: str,
    now: Callable[[], datetime],
    after: Callable[[TimedEvent, datetime], Iterable[TimedEvent]] = lambda _timed, _now: (),
) -> None:
    """Each event when its time comes; what is overdue goes at once, in order. `after`: what follows from an event."""
    due: list[Outgoing] = []
    for timed in events:
        wait = (timed.time - now()).total_seconds()
        if due and (wait > 0 or len(due) >= BATCH):
            await publisher.send_many(due)
            due = []
            wait = (timed.time - now()).total_seconds()
        if wait > 0:
            await asyncio.sleep(wait)
        due += [outgoing(each, tenant) for each in (timed, *after(timed, now()))]
    await publisher.send_many(due)


async def publish_at_once(publisher: Publisher, events: Iterable[TimedEvent], tenant: str) -> None:
    """All of `events`, as fast as they are taken."""
    left = iter(events)
    while batch := list(islice(left, BATCH)):
        await publisher.send_many([outgoing(timed, tenant) for timed in batch])


def outgoing(timed: TimedEvent, tenant: str) -> Outgoing:
    """The event as the bus takes it."""
    return Outgoing(timed.topic, timed.key, timed.event, timed.event_id, tenant)


def _outgoing(topic: str, key: str, event: Event, tenant: str) -> Outgoing:
    content = hashlib.sha256(event.to_json()).hexdigest()[:16]
    return Outgoing(topic, key, event, f"demo-{key}-{content}", tenant)
