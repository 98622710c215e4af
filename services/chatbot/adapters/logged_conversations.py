"""The conversations as the log has them: messages and replies are on their topics."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

import structlog

from rapport.bus.reading import read_messages
from rapport.events.chat import ChatMessage, ChatReply
from rapport.ops.settings import Settings
from services.chatbot.adapters.memory import RedisMemory
from services.chatbot.domain.restoring import Logged, restored

log = structlog.stdlib.get_logger(__name__)
_TOPICS = ("chat.messages.v1", "chat.replies.v1")


async def fill_conversations(memory: RedisMemory, settings: Settings, *, hours: float, turns: int) -> None:
    """Those of the last `hours`, `turns` of each. Never replaces one: who has spoken meanwhile goes on from there."""
    since = datetime.now(UTC) - timedelta(hours=hours)
    logged: dict[tuple[str, str], list[Logged]] = defaultdict(list)
    for topic in _TOPICS:
        async for message in read_messages(settings, topic):
            at = message.envelope.time
            if isinstance(message.event, ChatMessage | ChatReply) and at >= since:
                place = (message.envelope.tenant, message.event.conversation_id)
                logged[place].append((message.event.occurred_at or at, message.event))
    for (tenant, conversation_id), events in logged.items():
        await memory.fill(restored(tenant, conversation_id, events, turns))
    log.info("conversations read from the log", conversations=len(logged))
