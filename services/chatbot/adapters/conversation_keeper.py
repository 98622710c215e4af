"""Brings the conversations back when Redis has lost them: messages and replies are on their topics."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import structlog

from rapport.bus.client import topic_name
from rapport.bus.reading import read_topic
from rapport.bus.records import message_of
from rapport.events.chat import ChatMessage, ChatReply
from rapport.ops.errors import PermanentError, RapportError
from rapport.ops.parts import Health
from rapport.ops.settings import Settings
from rapport.ops.tasks import Background
from services.chatbot.adapters.memory import RedisMemory
from services.chatbot.domain.restoring import Logged, restored

log = structlog.stdlib.get_logger(__name__)
_TOPICS = ("chat.messages.v1", "chat.replies.v1")


class ConversationKeeper(Background):
    """Looks every `every_s` seconds whether the conversations are there, as a part; if not, fills in what the log has.

    Never replaces a conversation: who has spoken meanwhile goes on from there.
    """

    name = "conversations"

    def __init__(self, memory: RedisMemory, settings: Settings, *, every_s: float, hours: float, turns: int) -> None:
        self._memory, self._settings = memory, settings
        self._every_s, self._hours, self._turns = every_s, hours, turns
        self._detail = "not looked at yet"

    def health(self) -> Health:
        return Health(live=self._task is None or not self._task.done(), detail=self._detail)

    async def _run(self) -> None:
        while True:
            try:
                tenant = self._settings.tenant
                if not await self._memory.whole(tenant):
                    filled = await self._fill()
                    await self._memory.mark_whole(tenant)
                    log.info("conversations read from the log", conversations=filled)
                self._detail = ""
            except RapportError as error:
                self._detail = str(error)
            await asyncio.sleep(self._every_s)

    async def _fill(self) -> int:
        since = datetime.now(UTC) - timedelta(hours=self._hours)
        logged: dict[tuple[str, str], list[Logged]] = defaultdict(list)
        kafka = self._settings.kafka
        for topic in _TOPICS:
            async for record in read_topic(kafka, topic_name(kafka, topic)):
                try:
                    message = message_of(record, self._settings)
                except PermanentError:
                    continue  # the consumer has set it aside
                at = message.envelope.time
                if isinstance(message.event, ChatMessage | ChatReply) and at >= since:
                    place = (message.envelope.tenant, message.event.conversation_id)
                    logged[place].append((message.event.occurred_at or at, message.event))
        for (tenant, conversation_id), events in logged.items():
            await self._memory.fill(restored(tenant, conversation_id, events, self._turns))
        return len(logged)
