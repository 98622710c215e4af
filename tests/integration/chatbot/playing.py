"""Plays the conversations of `conversations/` against a running chatbot and says what differs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import yaml

from rapport.contracts.chatbot.v1 import chat_service_pb2 as wire
from rapport.contracts.chatbot.v1.chat_service_pb2_grpc import ChatServiceStub
from rapport.events.base import Event
from rapport.events.catalog import ProductUpserted
from rapport.events.chat import ChatMessage
from rapport.events.orders import OrderUpdated
from rapport.testing import random_name
from rapport.vectors import keys
from rapport.vectors.connection import RedisConnection, execute
from tests.integration.chatbot.conftest import Desk, until

FOLDER = Path(__file__).parent / "conversations"
Json = dict[str, Any]


def conversations() -> list[Json]:
    """All of them, each with the file that it stands in."""
    files = sorted(path for path in FOLDER.glob("*.yaml") if path.name != "shop.yaml")
    return [{**one, "file": path.name} for path in files for one in yaml.safe_load(path.read_text(encoding="utf-8"))]


def goods_and_orders() -> list[Event]:
    """The shop that the conversations are about."""
    shop = yaml.safe_load((FOLDER / "shop.yaml").read_text(encoding="utf-8"))
    products = [ProductUpserted.model_validate(one) for one in shop["products"]]
    by_id = {product.product_id: product for product in products}
    now = datetime.now(UTC)
    orders: list[Event] = []
    for customer, theirs in shop["customers"].items():
        for told in theirs:
            times = {f"{name}_at": now - timedelta(days=told.pop(name)) for name in ("placed", "updated")}
            lines = [_line(by_id[id_]) for id_ in told.pop("lines")]
            orders.append(
                OrderUpdated.model_validate(
                    {**told, **times, "customer_id": customer, "lines": lines, "currency": "EUR"}
                )
            )
    return [*products, *orders]


def _line(product: ProductUpserted) -> Json:
    return {"product_id": product.product_id, "name": product.title["en"], "price": product.price}


@dataclass
class Played:
    """A conversation as it went: what differs from what was written, and what to compare on the topics."""

    name: str
    wrong: list[str] = field(default_factory=list)
    commands: list[tuple[list[str], Json | None]] = field(default_factory=list)
    """Ids of each turn's commands, and what was expected."""
    handoffs: list[str] = field(default_factory=list)
    id: str = field(default_factory=lambda: random_name("talk"))


async def play(told: Json, desk: Desk, channel: grpc.aio.Channel, redis: RedisConnection) -> Played:
    """One conversation, turn by turn."""
    played = Played(f"{told['file']}: {told['name']}")
    for number, turn in enumerate(told["turns"], start=1):
        if "agent" in turn:
            await _agent_writes(turn, played.id, desk, redis)
            continue
        request = wire.ConverseRequest(
            conversation_id=played.id,
            message_id=random_name("m"),
            text=turn["customer"],
            customer_id=told.get("as", ""),
        )
        answers = [answer async for answer in ChatServiceStub(channel).Converse(request, timeout=30)]
        reply = answers[-1].reply
        played.commands.append((list(reply.action_ids), turn.get("command")))
        played.handoffs += [turn["handoff"]] if "handoff" in turn else []
        for wrong in differences(turn, reply, "".join(answer.text for answer in answers[:-1])):
            played.wrong.append(f"turn {number} {turn['customer']!r}: {wrong}; said: {reply.text!r}")
    return played


def differences(turn: Json, reply: wire.Reply, streamed: str) -> list[str]:
    """How the reply is not what is written for the turn."""
    action = wire.Action.Name(reply.action).removeprefix("ACTION_").lower()
    wrong = []
    if streamed != reply.text:
        wrong.append("the pieces are not the reply")
    if turn.get("silent"):
        return [] if not reply.text else ["not silent"]
    wanted, _, asks = turn["bot"].partition(" ")
    if action != wanted or (asks and reply.asks != asks):
        wrong.append(f"{action} {reply.asks} instead of {turn['bot']}")
    if "flow" in turn and reply.flow != turn["flow"]:
        wrong.append(f"flow {reply.flow!r}")
    plain = reply.text.casefold()
    wrong += [f"lacks {part!r}" for part in turn.get("text", ()) if part.casefold() not in plain]
    wrong += [f"has {part!r}" for part in turn.get("not", ()) if part.casefold() in plain]
    if bool(reply.action_ids) != ("command" in turn):
        wrong.append(f"commands {list(reply.action_ids)}")
    return wrong


async def _agent_writes(turn: Json, conversation_id: str, desk: Desk, redis: RedisConnection) -> None:
    message = ChatMessage(
        conversation_id=conversation_id,
        message_id=random_name("m"),
        role="agent",
        text=turn["agent"],
        hands_back=turn.get("hands_back", False),
    )
    await desk.publish(message)

    async def recorded() -> bool:
        pipeline = redis.pipeline()
        pipeline.lrange(keys.document(desk.settings.tenant, "chat-turns", conversation_id), 0, -1)
        [turns] = await execute(pipeline)
        return any(message.message_id.encode() in one for one in turns)

    await until(recorded, 20, f"the agent's message in {conversation_id}")
