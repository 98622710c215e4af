"""Which topics feed the support desk."""

from __future__ import annotations

from collections.abc import Sequence

from rapport.bus.messages import Message
from rapport.bus.view import TopicView
from services.gateway.domain.desk import Desk
from services.gateway.settings import GatewaySettings

_TOPICS = ("chat.handoffs.v1", "chat.messages.v1", "chat.replies.v1")


def desk_views(desk: Desk, settings: GatewaySettings) -> tuple[TopicView, ...]:
    """Every gateway holds the whole desk, read from the start of what the topics keep."""

    async def apply(messages: Sequence[Message]) -> None:
        for message in messages:
            if message.event is not None:
                desk.take(message.envelope.tenant, message.event, message.envelope.time)

    return tuple(TopicView("gateway", topic, apply, settings) for topic in _TOPICS)
