"""Where training data come from: the topics, from their beginning; or files that were exported before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from rapport.bus.messages import Message
from rapport.bus.reading import read_messages
from rapport.events.behaviour import Behaviour, ItemClicked
from rapport.events.profiles import ProfileUpdated
from rapport.events.recommendations import ImpressionRecorded
from rapport.ops.errors import PermanentError
from rapport.ops.settings import Settings
from services.recommender.handlers.event_time import event_ms
from services.recommender.training.impressions import Seen, joined
from services.recommender.training.signals import Signal, alias, signals


@dataclass(slots=True)
class Data:
    """What models learn from, of one tenant."""

    tenant: str
    signals: list[Signal] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    """Anonymous id → customer."""
    seen: list[Seen] = field(default_factory=list)
    segments: dict[str, str] = field(default_factory=dict)
    """Customer → segment, where the profiles name one."""
    malformed: int = 0
    """Messages that could not be read, and impressions that do not fit together."""


async def from_topics(settings: Settings, tenant: str) -> Data:
    """Everything that the topics still hold, up to where they end now. Raises `UnavailableError`."""
    data = Data(tenant)
    clicks: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    told: set[str] = set()
    async for message in _messages(settings, "clickstream.v1", data):
        event = message.event
        if not isinstance(event, Behaviour) or message.envelope.id in told:
            continue
        told.add(message.envelope.id)
        at_ms = event_ms(message)
        data.signals.extend(signals(event, tenant, message.key, at_ms))
        if named := alias(event):
            data.aliases[named[0]] = named[1]
        if isinstance(event, ItemClicked):
            clicks[tenant, event.recommendation_id, event.product_id].append(at_ms)
    shown = [
        (tenant, message.event)
        async for message in _messages(settings, "impressions.v1", data)
        if isinstance(message.event, ImpressionRecorded)
    ]
    data.seen = joined(shown, clicks, data.signals)
    async for message in _messages(settings, "profiles.v1", data):
        if isinstance(message.event, ProfileUpdated) and message.event.segments:
            data.segments[message.key] = message.event.segments[0].name
    return data


async def _messages(settings: Settings, topic: str, data: Data) -> AsyncIterator[Message]:
    def malformed(_: PermanentError) -> None:
        data.malformed += 1

    async for message in read_messages(settings, topic, malformed):
        if message.envelope.tenant == data.tenant:
            yield message
