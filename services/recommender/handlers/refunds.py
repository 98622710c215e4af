"""A refund that names no products is of the whole order: its products are those that the order had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rapport.bus.messages import Message
from rapport.events.behaviour import OrderCompleted, OrderRefunded, ProductFields
from services.recommender.ports import Orders


async def with_products(tenant: str, messages: Sequence[Message], orders: Orders) -> list[Message]:
    """The messages, refunds with the products that were sent back. Remembers the orders among them."""
    events = [message.event for message in messages]
    bought = [event for event in events if isinstance(event, OrderCompleted)]
    if bought:
        lines = {event.order_id: [line.product_id for line in event.products] for event in bought}
        await orders.keep(tenant, lines)
    whole = [event.order_id for event in events if isinstance(event, OrderRefunded) and not event.products]
    known = await orders.find(tenant, whole) if whole else {}
    return [_named(message, known) for message in messages] if known else list(messages)


def _named(message: Message, known: Mapping[str, Sequence[str]]) -> Message:
    event = message.event
    if not isinstance(event, OrderRefunded) or event.products:
        return message
    # An order from before there was a memory of orders stays unnamed, and counts against no product.
    products = tuple(ProductFields(product_id=product_id) for product_id in known.get(event.order_id, ()))
    return replace(message, event=event.model_copy(update={"products": products}))
