"""Publishes the figures of each past period, from the log."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import structlog

from rapport.bus.producer import EventProducer
from rapport.bus.reading import read_messages
from rapport.events.base import Event
from rapport.ops.errors import RapportError
from rapport.ops.settings import Settings
from rapport.ops.tasks import Background
from services.chatbot.handlers.reflecting import reflect
from services.chatbot.ports import Ports

log = structlog.stdlib.get_logger(__name__)
_TOPICS = ("chat.messages.v1", "chat.replies.v1", "chat.handoffs.v1")
_PAUSE_S = 5.0


class Reflector(Background):
    """A part. Periods begin at whole multiples of their length, so that every replica looks at the same ones; each is
    looked at once it is over, and the last one at the start."""

    name = "reflector"

    def __init__(self, ports: Ports, producer: EventProducer, settings: Settings, period: timedelta) -> None:
        self._ports, self._producer, self._settings, self._period = ports, producer, settings, period
        self._done: datetime | None = None

    async def _run(self) -> None:
        while True:
            until = period_end(datetime.now(UTC), self._period)
            if until != self._done:
                try:
                    await self._look(until - self._period, until)
                    self._done, self._detail = until, ""
                except RapportError as error:
                    self._detail = str(error)
                    log.warning("figures wait", error=str(error))
            await asyncio.sleep(_PAUSE_S)

    async def _look(self, since: datetime, until: datetime) -> None:
        events: list[tuple[datetime, Event]] = []
        for topic in _TOPICS:
            async for message in read_messages(self._settings, topic):
                ours = message.envelope.tenant == self._settings.tenant
                if ours and message.event is not None:
                    events.append((message.event.occurred_at or message.envelope.time, message.event))
        await self._producer.send_many(await reflect(events, self._settings.tenant, since, until, self._ports))


def period_end(now: datetime, period: timedelta) -> datetime:
    """When the last period ended."""
    begin = datetime(1970, 1, 1, tzinfo=UTC)
    return begin + ((now - begin) // period) * period
