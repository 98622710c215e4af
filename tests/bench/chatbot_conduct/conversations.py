"""Plays the written conversations in process: see README.md."""

from __future__ import annotations

import asyncio
import logging
import sys
from datetime import UTC, datetime
from typing import Any

import structlog

from rapport.events.catalog import ProductUpserted
from rapport.events.chat import ChatMessage, ChatReply, HandoffRequested
from rapport.events.orders import OrderActionRequested, OrderUpdated
from rapport.testing.events import received
from services.chatbot.api import reply_to
from services.chatbot.handlers import converse
from tests.bench.chatbot_conduct.in_process import open_bot
from tests.integration.chatbot.playing import conversations, differences, goods_and_orders
from tests.unit.chatbot.conftest import Bot


async def play(told: dict[str, Any], bot: Bot) -> tuple[list[str], list[str]]:
    """What was said, and what differs from what is written."""
    said, wrong = list[str](), list[str]()
    for number, turn in enumerate(told["turns"]):
        message = ChatMessage(
            conversation_id=told["name"],
            message_id=f"{told['name']} {number}",
            role="agent" if "agent" in turn else "customer",
            customer_id=told.get("as"),
            text=turn.get("agent") or turn["customer"],
            hands_back=turn.get("hands_back", False),
            channel="kafka" if "agent" in turn else "converse",
        )
        if message.role == "agent":
            await bot.hear(message)
            continue
        before = len(bot.published.outgoings)
        parts = converse(message, "default", datetime.now(UTC), bot.ports, bot.mind, bot.published)
        *pieces, reply = [part async for part in parts]
        assert isinstance(reply, ChatReply)
        events = [outgoing.event for outgoing in bot.published.outgoings[before:]]
        said += [f"C: {message.text}", f"B [{reply.action} {reply.asks or ''}]: {reply.text}"]
        wrong += differences(turn, reply_to(reply).reply, "".join(str(piece) for piece in pieces))
        sent = [
            one.model_dump(mode="json", exclude_none=True) for one in events if isinstance(one, OrderActionRequested)
        ]
        if "command" in turn and not any(turn["command"].items() <= one.items() for one in sent):
            wrong.append(f"sent {sent}")
        reasons = [one.reason for one in events if isinstance(one, HandoffRequested)]
        if reasons != ([turn["handoff"]] if "handoff" in turn else []):
            wrong.append(f"handed off for {reasons}")
    return said, wrong


async def main(names: list[str]) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    bot, events = await open_bot(), goods_and_orders()
    await bot.catalog.apply(received(*(one for one in events if isinstance(one, ProductUpserted))))
    bot.book.orders = [one for one in events if isinstance(one, OrderUpdated)]
    told = [one for one in conversations() if not names or any(name in one["name"] for name in names)]
    right = 0
    for one in told:
        said, wrong = await play(one, bot)
        right += not wrong
        if wrong or names:
            print(f"\n## {one['file']}: {one['name']}", *said, *(f"!! {line}" for line in wrong), sep="\n")
    print(f"\n{right} of {len(told)} conversations went as written")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
