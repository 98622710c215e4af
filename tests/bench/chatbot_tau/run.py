"""How many of tau-bench retail's tasks end in the gold order state: see README.md."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from rapport.events.chat import ChatMessage, ChatReply
from rapport.events.orders import OrderActionRequested
from rapport.ops.errors import UnavailableError
from rapport.testing.events import received
from services.chatbot.flows.spec import Flows
from services.chatbot.handlers import converse
from tests.bench.chatbot_tau.customer import Customer
from tests.bench.chatbot_tau.shop import NOW, Action, Shop, load, sent
from tests.unit.chatbot.conftest import Bot

DATA = Path("/work/shared/data/tau-bench-retail")
# A conversation that long goes nowhere.
_MOST_TURNS = 24


@dataclass
class Outcome:
    wanted: list[Action]
    done: list[Action] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    outputs_missing: list[str] = field(default_factory=list)
    ended: str = "done"

    @property
    def solved(self) -> bool:
        return Counter(self.done) == Counter(self.wanted) and not self.outputs_missing

    def why(self) -> str:
        if self.solved:
            return "solved"
        extra, missing = Counter(self.done) - Counter(self.wanted), Counter(self.wanted) - Counter(self.done)
        if extra:
            return f"wrong {next(iter(extra))[0]}"
        if any(one[0] == "exchange" and any(old == new for old, new in one[2]) for one in missing):
            return "an exchange for the same item not done"
        if missing:
            return f"{next(iter(missing))[0]} not done, {self.ended}"
        return "a figure was asked for and not told"


async def play(task: dict[str, Any], number: int, bot: Bot, shop: Shop, opening: str) -> Outcome:
    """One task, from the first message to nothing left to say."""
    customer = Customer(task, shop, opening)
    outcome, text = Outcome(customer.wanted), customer.opens()
    for turn in range(_MOST_TURNS):
        message = ChatMessage(
            conversation_id=f"tau-{number}", message_id=f"m-{turn}", customer_id=task["user_id"], text=text[:8000],
            channel="converse",
        )  # fmt: skip
        before = len(bot.published.outgoings)
        [*_, reply] = [part async for part in converse(message, "default", NOW, bot.ports, bot.mind, bot.published)]
        assert isinstance(reply, ChatReply)
        events = [outgoing.event for outgoing in bot.published.outgoings[before:]]
        outcome.done += [sent(event) for event in events if isinstance(event, OrderActionRequested)]
        outcome.said += [f"C: {text}", f"B [{reply.action} {reply.asks or ''}]: {reply.text}"]
        if reply.action == "handoff":
            outcome.ended = "a person was called"
            break
        said = customer.answers(reply, outcome.done)
        if said is None:
            break
        exchanges = list(zip(outcome.said[1::2], outcome.said[2::2], strict=False))
        if exchanges.count((outcome.said[-1], f"C: {said}")) > 1:
            outcome.ended = f"stuck at {reply.asks or reply.action}"
            break
        text = said
    told = " ".join(outcome.said).replace(",", "")
    outcome.outputs_missing = [one for one in task.get("outputs", ()) if one.replace(",", "") not in told]
    return outcome


async def run(data: Path, split: str, opening: str, show: int) -> None:
    shop = load(data)
    tasks = json.loads((data / f"tasks_{split}.json").read_text("utf-8"))
    bot = Bot(flows=Flows.load(Path(__file__).parent / "retail.toml"))
    bot.encoder.failure = UnavailableError("left out")
    await bot.catalog.apply(received(*shop.products.values()))
    reasons: Counter[str] = Counter()
    for number, task in enumerate(tasks):
        bot.book.orders = shop.orders.get(task["user_id"], [])
        outcome = await play(task, number, bot, shop, opening)
        reasons[outcome.why()] += 1
        if not outcome.solved and show > 0:
            show -= 1
            print(
                f"\n## {number}: {outcome.why()}; wanted {outcome.wanted}, done {outcome.done}", *outcome.said, sep="\n"
            )
    print(f"\ntau-bench retail {split}, opening {opening}: solved {reasons['solved']} of {len(tasks)}")
    for why, count in reasons.most_common():
        print(f"  {count:4d} {why}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--split", choices=("dev", "train", "test"), default="dev")
    parser.add_argument("--opening", choices=("instruction", "plain"), default="instruction")
    parser.add_argument("--show", type=int, default=0, help="conversations of unsolved tasks to print")
    told = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    if not (told.data / f"tasks_{told.split}.json").exists():
        raise SystemExit(f"no tau-bench retail tasks ({told.split}) in {told.data}")
    asyncio.run(run(told.data, told.split, told.opening, told.show))


if __name__ == "__main__":
    main()
