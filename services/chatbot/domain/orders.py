"""Orders in a conversation: which are meant, and what to say of them. Only the customer's own are ever at hand here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rapport.events.chat import Source
from rapport.events.orders import OrderUpdated
from rapport.text.normalise import normalise
from services.chatbot.domain.draft import Draft
from services.chatbot.domain.languages import Language
from services.chatbot.domain.phrases import Phrases, day

# Looks like an order number: five digits and more, or letters, a dash and three digits and more. Ids are opaque, so
# this only says that a number was meant; the customer's own orders are matched letter by letter.
# Chinese letters may stand right beside it.
_NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.-])#?((?:[a-z]{1,8}[-_])+\d[a-z0-9_-]{2,}|[a-z]{0,3}\d{5,})(?![A-Za-z0-9_-]|\.\d)",
    re.IGNORECASE,
)
# Right behind the word "order", shorter ones are meant as numbers as well.
_AFTER_ORDER = re.compile(
    r"(?:order|订单号?)\s*(?:number|no\.?|id)?\s*[#:]?\s*((?=[a-z_-]*\d)[a-z0-9_-]{3,})(?![a-z0-9])", re.IGNORECASE
)
# A message that is nothing else is a number even when it is short.
_BARE = re.compile(r"^\W*((?=[a-z_-]*\d)[a-z0-9_-]{3,})\W*$", re.IGNORECASE)
# A customer may leave the prefix of "ORD-10423" out; fewer digits would match by chance.
_LEAST_DIGITS = 4
# Numbers answered in one message; more are a search, not a question.
_MOST = 3


@dataclass(frozen=True, slots=True)
class Own:
    """The customer's own orders, or why they are not at hand."""

    orders: tuple[OrderUpdated, ...] = ()
    trouble: Literal["", "sign_in", "orders_unavailable"] = ""


@dataclass(frozen=True, slots=True)
class Mentions:
    """`own` orders that a text names, and `unknown` numbers that look like an order but are none of the customer's."""

    own: tuple[OrderUpdated, ...] = ()
    unknown: tuple[str, ...] = ()
    bare: bool = False
    """The text is nothing but a number."""

    def __bool__(self) -> bool:
        return bool(self.own or self.unknown)


def mentions(text: str, own: Own) -> Mentions:
    """The order numbers in `text`."""
    plain = normalise(text)
    named = [order for order in own.orders if _names(plain, order.order_id)]
    known = {order.order_id.casefold() for order in named}
    bare = _BARE.match(plain)
    unknown: list[str] = []
    for number in [bare.group(1)] if bare else [*_NUMBER.findall(plain), *_AFTER_ORDER.findall(plain)]:
        if any(number.casefold() in id_ for id_ in known):
            continue
        short = [order for order in own.orders if _tail(order.order_id) == number]
        if len(short) == 1 and len(number) >= _LEAST_DIGITS:
            named.extend(order for order in short if order not in named)
        elif number not in unknown:
            unknown.append(number)
    whole = bool(bare) or plain.casefold() in known
    return Mentions(tuple(named[:_MOST]), tuple(unknown[:_MOST]), whole)


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


def _names(plain: str, order_id: str) -> bool:
    alone = rf"(?<![A-Za-z0-9_-]){re.escape(normalise(order_id))}(?![A-Za-z0-9_-])"
    return re.search(alone, plain, re.IGNORECASE) is not None


def _tail(order_id: str) -> str:
    found = re.search(r"(\d+)$", order_id)
    return found.group(1) if found else ""
