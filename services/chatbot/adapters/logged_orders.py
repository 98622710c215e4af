"""The orders as their topic has them: it is compacted, so it has them all."""

from __future__ import annotations

import structlog

from rapport.bus.messages import Message
from rapport.bus.reading import read_messages
from rapport.events.orders import OrderUpdated
from rapport.ops.settings import Settings
from services.chatbot.adapters.orders import RedisOrders

log = structlog.stdlib.get_logger(__name__)
_TOPIC = "orders.v1"


async def fill_orders(orders: RedisOrders, settings: Settings) -> None:
    """Never replaces an order: what the consumer has written meanwhile is newer."""
    newest: dict[tuple[str, str], OrderUpdated | None] = {}
    async for message in read_messages(settings, _TOPIC):
        _fold(message, newest)
    found = {key: order for key, order in newest.items() if order is not None}
    await orders.fill(found)
    log.info("orders read from the topic", orders=len(found))


def _fold(message: Message, newest: dict[tuple[str, str], OrderUpdated | None]) -> None:
    """As the consumer would: the newest update wins, a null value forgets."""
    key, event = (message.envelope.tenant, message.key), message.event
    before = newest.get(key)
    if event is None:
        newest[key] = None
    elif isinstance(event, OrderUpdated) and (before is None or event.updated_at >= before.updated_at):
        newest[key] = event
