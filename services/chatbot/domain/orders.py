"""What to say of orders. Only the customer's own are ever at hand here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rapport.events.chat import Source
from rapport.events.orders import OrderUpdated
from services.chatbot.domain.draft import Draft
from services.chatbot.domain.entities.order_numbers import Mentions
from services.chatbot.domain.languages import Language
from services.chatbot.domain.phrases import Phrases, day


@dataclass(frozen=True, slots=True)
class Own:
    """The customer's own orders, or why they are not at hand."""

    orders: tuple[OrderUpdated, ...] = ()
    trouble: Literal["", "sign_in", "orders_unavailable"] = ""


def status(own: Own, named: Mentions, phrases: Phrases, language: Language) -> Draft:
    """Where the orders are that were named, else the latest one."""
    if own.trouble:
        return Draft(phrases.say(own.trouble, language), "ask", 1.0)
    if not own.orders and not named:
        return Draft(phrases.say("no_orders", language), "ask", 1.0)
    latest = max(own.orders, key=lambda order: (order.placed_at, order.order_id), default=None)
    shown = named.own if named or latest is None else (latest,)
    lines = [_line(order, phrases, language) for order in shown]
    lines += [phrases.say("order_not_found", language, number=number) for number in named.unknown]
    if not named and len(own.orders) > 1:
        lines.append(phrases.say("more_orders", language, count=len(own.orders)))
    text = _join(lines, language)
    if not shown:
        return Draft(text, "ask", 1.0, offer="order_number")
    return Draft(
        text,
        "order_status",
        1.0,
        sources=tuple(_source(order) for order in shown),
        order_id=shown[0].order_id,
        product_ids=tuple(dict.fromkeys(line.product_id for order in shown for line in order.lines)),
        offer=None if named else "order_number",
    )


def _line(order: OrderUpdated, phrases: Phrases, language: Language) -> str:
    parts = [
        phrases.say(
            "order",
            language,
            number=order.order_id,
            placed=day(order.placed_at, language),
            updated=day(order.updated_at, language),
            status=phrases.say(f"status_{order.status}", language),
        )
    ]
    if order.status == "shipped":
        if order.tracking_number and order.carrier:
            slots = {"carrier": order.carrier, "tracking": order.tracking_number}
            parts.append(phrases.say("order_carrier", language, **slots))
        elif order.tracking_number:
            parts.append(phrases.say("order_tracking", language, tracking=order.tracking_number))
    if order.expected_at and order.status in ("placed", "paid", "packed", "shipped"):
        parts.append(phrases.say("order_expected", language, expected=day(order.expected_at, language)))
    return _join(parts, language)


def _join(sentences: Sequence[str], language: Language) -> str:
    return ("" if language == "zh" else " ").join(sentences)


def _source(order: OrderUpdated) -> Source:
    fact = f"status: {order.status}, updated_at: {order.updated_at:%Y-%m-%dT%H:%M:%SZ}"
    return Source(kind="order", id=order.order_id, title=order.status, quote=fact, score=1.0)
