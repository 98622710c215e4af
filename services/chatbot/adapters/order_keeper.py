"""Brings the orders back when Redis has lost them: the topic is compacted, so it has them all."""

from __future__ import annotations

import asyncio

import structlog

from rapport.bus.client import topic_name
from rapport.bus.messages import Message
from rapport.bus.reading import read_topic
from rapport.bus.records import message_of
from rapport.events.orders import OrderUpdated
from rapport.ops.errors import PermanentError, RapportError
from rapport.ops.parts import Health
from rapport.ops.settings import Settings
from rapport.ops.tasks import Background
from services.chatbot.adapters.orders import RedisOrders

log = structlog.stdlib.get_logger(__name__)
_TOPIC = "orders.v1"


class OrderKeeper(Background):
    """Looks every `every_s` seconds whether the orders are there, as a part; if not, fills in what the topic holds.

    Never replaces an order: what the consumer has written meanwhile is newer.
    """

    name = "orders"

    def __init__(self, orders: RedisOrders, settings: Settings, every_s: float) -> None:
        self._orders, self._settings, self._every_s = orders, settings, every_s
        self._detail = "not looked at yet"

    def health(self) -> Health:
        return Health(live=self._task is None or not self._task.done(), detail=self._detail)

    async def _run(self) -> None:
        while True:
            try:
                if not await self._orders.whole(self._settings.tenant):
                    filled = await self._fill()
                    await self._orders.mark_whole(self._settings.tenant)
                    log.info("orders read from the topic", orders=filled)
                self._detail = ""
            except RapportError as error:
                self._detail = str(error)
            await asyncio.sleep(self._every_s)

    async def _fill(self) -> int:
        newest: dict[tuple[str, str], OrderUpdated | None] = {}
        kafka = self._settings.kafka
        async for record in read_topic(kafka, topic_name(kafka, _TOPIC)):
            try:
                _fold(message_of(record, self._settings), newest)
            except PermanentError:
                continue  # the consumer has set it aside
        orders = {key: order for key, order in newest.items() if order is not None}
        await self._orders.fill(orders)
        return len(orders)


def _fold(message: Message, newest: dict[tuple[str, str], OrderUpdated | None]) -> None:
    """As the consumer would: the newest update wins, a null value forgets."""
    key, event = (message.envelope.tenant, message.key), message.event
    before = newest.get(key)
    if event is None:
        newest[key] = None
    elif isinstance(event, OrderUpdated) and (before is None or event.updated_at >= before.updated_at):
        newest[key] = event
