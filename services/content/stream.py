"""Which topics feed which handler."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from rapport.bus.consumer import HandlerConsumer
from rapport.bus.messages import Handler, Message, Outgoing
from rapport.ops.settings import Settings
from services.content.handlers import ContentHandlers

# A brief may take the model some seconds for each variant and attempt: few at once keep within the stall limit.
_BRIEFS_AT_ONCE = 4
_RECOMMENDATIONS_AT_ONCE = 32


class Publisher(Protocol):
    async def send(self, outgoing: Outgoing) -> None: ...


def consumers(
    handlers: ContentHandlers, caught_up: asyncio.Event, settings: Settings
) -> tuple[HandlerConsumer, HandlerConsumer]:
    """Two groups, so that a long brief does not hold up recommendation lines.

    `caught_up`: set when the catalogue is there; before, every product would look delisted.
    """
    return (
        HandlerConsumer(
            "content",
            ["content.requests.v1"],
            _after(caught_up, handlers.on_requests),
            settings,
            max_batch=_BRIEFS_AT_ONCE,
        ),
        HandlerConsumer(
            "content-lines",
            ["recommendations.v1"],
            _after(caught_up, handlers.on_recommendations),
            settings,
            max_batch=_RECOMMENDATIONS_AT_ONCE,
        ),
    )


def _after(caught_up: asyncio.Event, handler: Handler) -> Handler:
    async def wait_then_handle(messages: Sequence[Message]) -> Sequence[Outgoing]:
        await caught_up.wait()
        return await handler(messages)

    return wait_then_handle
