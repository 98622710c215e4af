"""Looking back at a period: figures of use, and questions without an answer grouped into articles to write."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import structlog

from rapport.bus.messages import Outgoing
from rapport.events.base import Event
from rapport.events.profiles import InsightFound
from rapport.ops.errors import RetryableError
from rapport.serving.client import Priority, Role
from services.chatbot.domain.background import Background
from services.chatbot.domain.figures import Tally, gap, groups, in_use, middle, tally
from services.chatbot.ports import Ports

log = structlog.stdlib.get_logger(__name__)
# Fewer customers with the same question are no reason to write an article.
_LEAST = 2
# Questions looked at in one period, the newest; and the longest that embedding them may take.
_MOST, _WITHIN_S = 2000, 120.0


async def reflect(
    events: Iterable[tuple[datetime, Event]], tenant: str, since: datetime, until: datetime, ports: Ports
) -> list[Outgoing]:
    """Findings for insights.v1. Without conversations none; without the encoder the figures alone."""
    counted = tally(events, since, until)
    if not counted.conversations:
        return []
    found = [in_use(counted, tenant)]
    try:
        found += await _gaps(counted, tenant, ports)
    except RetryableError as error:
        log.warning("questions without an answer are not grouped", error=str(error))
    return [Outgoing("insights.v1", one.subject, one, one.insight_id, tenant) for one in found]


async def _gaps(counted: Tally, tenant: str, ports: Ports) -> list[InsightFound]:
    asked = counted.unanswered[-_MOST:]
    if len(asked) < _LEAST:
        return []
    background = Background.load().all()
    texts = [*background, *(one.text for one in asked)]
    made = await ports.encoder.embed(texts, role=Role.QUERY, priority=Priority.BULK, timeout_s=_WITHIN_S)
    vectors = made.vectors[len(background) :]
    found = []
    for group in groups(vectors, made.vectors[: len(background)]):
        # One customer who asks again is one customer.
        speakers = {asked[row].customer_id or asked[row].conversation_id for row in group}
        if len(speakers) >= _LEAST:
            title = asked[group[middle(vectors[group])]].text
            found.append(gap(counted, tenant, [asked[row] for row in group], title))
    return found
