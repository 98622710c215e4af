"""Events and messages in one line: `received(viewed("c1", "p1"), viewed("c1", "p2"))`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from rapport.bus.messages import Message, Position
from rapport.events.base import Event
from rapport.events.behaviour import OrderCompleted, ProductFields, ProductsSearched, ProductViewed
from rapport.events.codec import key_of
from rapport.events.envelope import Envelope
from rapport.events.topics import TOPICS, Topic
from rapport.ops.errors import InvalidRequest

# A Thursday morning; messages follow each other by a second.
BEGIN = datetime(2026, 3, 5, 9, 30, tzinfo=UTC)


def viewed(customer: str, product: str, **more: Any) -> ProductViewed:
    """The customer opened the product's page."""
    return ProductViewed(customer_id=customer, product_id=product, **more)


def searched(customer: str, query: str, **more: Any) -> ProductsSearched:
    """The customer searched."""
    return ProductsSearched(customer_id=customer, query=query, **more)


def ordered(customer: str, order: str, *products: str, total: str = "10.00", **more: Any) -> OrderCompleted:
    """The customer bought the products, one of each."""
    lines = tuple(ProductFields(product_id=product) for product in products)
    return OrderCompleted(
        customer_id=customer, order_id=order, total=Decimal(total), currency="EUR", products=lines, **more
    )


def message(
    event: Event | None,
    offset: int = 0,
    *,
    key: str | None = None,
    topic: str | None = None,
    partition: int = 0,
    tenant: str = "default",
    event_id: str | None = None,
    at: datetime | None = None,
) -> Message:
    """`event` as a handler gets it. A tombstone (None) needs `key` and `topic`.

    Left out: the topic is the event's own, the key the one that topic asks for, the id made of the position, the time
    `BEGIN` plus `offset` seconds.
    """
    home = TOPICS[topic] if topic else _home(event)
    at = at or (event.occurred_at if event else None) or BEGIN + timedelta(seconds=offset)
    if key is None:
        if event is None:
            raise InvalidRequest("a tombstone needs its key", field="key")
        key = key_of(home, event)
    envelope = Envelope(
        id=event_id or f"{home.name}/{partition}/{offset}",
        type=event.ce_type() if event else "tombstone",
        source="test",
        time=at,
        tenant=tenant,
    )
    return Message(event, envelope, key, Position(home.name, partition, offset), int(at.timestamp() * 1000))


def received(*events: Event, first_offset: int = 0, partition: int = 0, tenant: str = "default") -> list[Message]:
    """Messages of one partition, in offset order."""
    return [
        message(event, first_offset + number, partition=partition, tenant=tenant) for number, event in enumerate(events)
    ]


def _home(event: Event | None) -> Topic:
    if event is None:
        raise InvalidRequest("a tombstone needs its topic", field="topic")
    return next(topic for topic in TOPICS.values() if type(event) in topic.events)
