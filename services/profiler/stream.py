"""Which topics feed which handler."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rapport.bus.messages import Handler, KeyedState, Message, Outgoing
from rapport.bus.stateful import StatefulConsumer
from rapport.ops.settings import Settings
from services.profiler.adapters.codec import CustomerCodec
from services.profiler.adapters.states import KeyedCustomers
from services.profiler.domain.rules import Rules
from services.profiler.handlers import profile_behaviour
from services.profiler.ports import Ports

GROUP = "profiler"


def behaviour_consumer(
    ports: Ports, rules: Rules, codec: CustomerCodec, caught_up: asyncio.Event, settings: Settings
) -> StatefulConsumer:
    """`caught_up`: set when the catalogue is there; before, products would have no names."""

    def make_handler(state: KeyedState) -> Handler:
        states = KeyedCustomers(state, codec)

        async def handle(messages: Sequence[Message]) -> Sequence[Outgoing]:
            await caught_up.wait()
            return await profile_behaviour(messages, states, ports, rules)

        return handle

    return StatefulConsumer(GROUP, "clickstream.v1", make_handler, settings)
