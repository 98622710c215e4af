"""Conversations at once, over the handlers: see README.md."""

from __future__ import annotations

import argparse
import asyncio
import logging
import statistics
import time
from datetime import UTC, datetime

import structlog

from rapport.events.chat import ChatMessage
from rapport.testing.events import received
from services.chatbot.handlers import converse
from tests.bench.chatbot_conduct.in_process import open_bot
from tests.integration.chatbot.playing import goods_and_orders
from tests.unit.chatbot.conftest import Bot

# A question, a request with its correction and its yes, and thanks: half need the encoder.
TURNS = (
    "how long do I have to send something back", "I want to return the shoes from RX-2001", "too small",
    "no, the jacket", "yes", "thanks",
)  # fmt: skip


async def talk(number: int, bot: Bot) -> list[float]:
    """Seconds until the first piece of each reply."""
    waits = []
    for turn, text in enumerate(TURNS):
        # Each conversation in words of its own, so that no vector is there already.
        said = f"{text} ({number})" if turn == 0 else text
        message = ChatMessage(
            conversation_id=f"c-{number}", message_id=f"{number}-{turn}", customer_id="anna", text=said,
            channel="converse",
        )  # fmt: skip
        began, first = time.perf_counter(), 0.0
        async for _ in converse(message, "default", datetime.now(UTC), bot.ports, bot.mind, bot.published):
            first = first or time.perf_counter() - began
        waits.append(first)
    return waits


async def main(count: int) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    bot, events = await open_bot(), goods_and_orders()
    await bot.catalog.apply(received(*(one for one in events if "product_id" in type(one).model_fields)))
    bot.book.orders = [one for one in events if "placed_at" in type(one).model_fields]  # type: ignore[misc]
    await talk(-1, bot)
    for at_once in (1, count):
        began = time.perf_counter()
        waits = [
            one
            for told in await asyncio.gather(*(talk(n + at_once * 1000, bot) for n in range(at_once)))
            for one in told
        ]
        took = time.perf_counter() - began
        print(
            f"{at_once} at once: {len(waits) / took:.0f} replies a second; first piece p50 "
            f"{statistics.median(waits) * 1000:.0f} ms, p95 {sorted(waits)[int(0.95 * len(waits))] * 1000:.0f} ms"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=100)
    asyncio.run(main(parser.parse_args().conversations))
