"""Which topics feed which handler."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rapport.bus.consumer import HandlerConsumer
from rapport.bus.messages import Handler, KeyedState, Message, Outgoing
from rapport.bus.stateful import StatefulConsumer
from rapport.ops.settings import Settings
from services.profiler.adapters.codec import CustomerCodec
from services.profiler.adapters.states import KeyedCustomers
from services.profiler.domain.rules import Rules
from services.profiler.errands import INBOX
from services.profiler.handlers import hear_chat, profile_behaviour
from services.profiler.ports import Ports

GROUP, CHAT_GROUP = "profiler", "profiler-chat"


def behaviour_consumer(
    ports: Ports, rules: Rules, codec: CustomerCodec, caught_up: asyncio.Event, settings: Settings, max_batch: int
) -> StatefulConsumer:
    """`caught_up`: set when the catalogue is there; before, products would have no names."""

    def make_handler(state: KeyedState) -> Handler:
        states = KeyedCustomers(state, codec)

        async def handle(messages: Sequence[Message]) -> Sequence[Outgoing]:
            await caught_up.wait()
            return await profile_behaviour(messages, states, ports, rules)

        return handle

    return StatefulConsumer(GROUP, "clickstream.v1", make_handler, settings, max_batch=max_batch, inbox=INBOX)


def chat_consumer(settings: Settings) -> HandlerConsumer:
    """Lines of chats are kept by conversation; profiles by customer. So they go on through the inbox."""
    return HandlerConsumer(CHAT_GROUP, ["chat.messages.v1"], hear_chat, settings)
