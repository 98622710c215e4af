"""The slots `order` and `items`: which of the customer's orders a text means, and which of its lines."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rapport.events.orders import OrderLine, OrderUpdated
from services.chatbot.domain.dialogue import Slots
from services.chatbot.domain.entities import Entities
from services.chatbot.domain.entities.products import named, surely_named, words_of
from services.chatbot.domain.understanding import plain_form
from services.chatbot.flows.around import Around
from services.chatbot.flows.spec import Flow

_LATEST = re.compile(
    r"\b(latest|last|newest|most recent|just (placed|ordered|bought))\b|最近|最新|上一单|刚(刚)?(下|买|订)"
)
_ENDING = re.compile(
    r"(?:end(?:s|ing)?(?: (?:in|with|on))?|last (?:two|three|four|\d) digits(?: are| is)?|"
    r"尾号(?:是|为)?)\D{0,6}(\d{2,})"
)
_ALL = re.compile(r"\b(all|everything|both|whole|entire|every item)\b|全部|所有|都|整单|两(个|件|双|样)")
# Said of an order of two things it means them, whatever their names look like.
_BOTH = re.compile(r"\bboth\b|两(个|件|双|样)都?")
_EXCEPT = re.compile(r"\b(except|but not|apart from|besides|all but|not the)\b|除了|不包括|不含")
# "All my orders", as against all things in one.
_ALL_ORDERS = re.compile(
    r"\b(?:all|both|every(?: one)?)\b(?: of)?(?: my| the| these)?(?: \w+)? orders?\b|"
    r"(?:全部|所有|两个?)的?订单|订单(?:全部|都)"
)
# Points back to what was spoken of.
_BACK = re.compile(r"\b(?:it|them|they|this|that|these|those)\b|它|[这那](?:个|单|些|件)?")
# Between things that are counted up; before what only tells why.
_COUNTED = re.compile(r"\band\b|[,，、;；&]|和|以及|还有|跟")
_BECAUSE = re.compile(r"\b(?:because|since|as (?:it|they|i))\b|因为")
# Names things that the request is not about: what stays, and where the money goes.
_ASIDE = re.compile(
    r"\bkeep(?:ing)?\b.*?(?=\bbut\b|\band\b|[,.;，。]|$)|留(?:下|着).*?(?=[,.;，。]|$)|"
    r"(?:\b(?:to|onto|on|with|by)(?: my| a| the)? |退(?:回)?到)\s*(?:gift ?card|礼品卡)"
)
_NUMBERED = re.compile(r"\b(first|second|third)\b|第([一二三])")
_ORDINALS = {"first": 0, "second": 1, "third": 2, "一": 0, "二": 1, "三": 2}


def named_orders(text: str, around: Around) -> tuple[list[OrderUpdated], tuple[str, ...]]:
    """Orders whose number stands in the text, as they come in it, and numbers that are none of the customer's."""
    found = around.entities(text).numbers
    if found.own:
        said = plain_form(text)
        return sorted(found.own, key=lambda one: said.find(plain_form(one.order_id))), found.unknown
    ending = _ENDING.search(plain_form(text))
    if ending:
        tail = [one for one in around.orders if one.order_id.endswith(ending.group(1))]
        return tail[:1] if len(tail) == 1 else [], () if tail else (ending.group(1),)
    return [], found.unknown


def all_orders(text: str, flow: Flow, around: Around) -> list[OrderUpdated]:
    """The orders that the request may be about when the text means all of them; else none."""
    return around.eligible(flow) if _ALL_ORDERS.search(plain_form(text)) else []


def orders_by_goods(text: str, around: Around) -> list[OrderUpdated]:
    """The orders of the goods that the text counts up, when they lie in several: "return the shoes and the lamp"."""
    holders: dict[str, list[OrderUpdated]] = {}
    for order in around.orders:
        for line in order.lines:
            holders.setdefault(line.product_id, []).append(order)
    words = _things(around.orders, around)
    told = dict[str, OrderUpdated]()
    for part in _COUNTED.split(_BECAUSE.split(plain_form(text))[0]):
        for product_id in surely_named(part, words):
            if len(holders[product_id]) > 1:
                return []
            told[holders[product_id][0].order_id] = holders[product_id][0]
    return list(told.values()) if len(told) > 1 else []


def spoken_of(text: str, flow: Flow, around: Around) -> OrderUpdated | None:
    """The order that the conversation was last about: where the text points back to it, or where the request may be
    about it and nothing was done to it yet."""
    last = around.order(around.dialogue.order)
    if last is None or points_back(text):
        return last
    return last if last in around.eligible(flow) and not around.dialogue.actions_on(last.order_id) else None


def points_back(text: str) -> bool:
    return _BACK.search(plain_form(text)) is not None


def carried(text: str, flow: Flow, before: Slots, around: Around) -> Slots:
    """What a request takes over from the one `before` it, where the text points back: "exchange them instead"."""
    order = around.order(before.order)
    if order is None or not points_back(text) or named_orders(text, around) != ([], ()):
        return Slots()
    things = _things([order], around)
    items = before.items if "items" in flow.slots and not named(text, things) else None
    return Slots(order=order.order_id, items=items, reason=before.reason)


def order_in(text: str, flow: Flow, around: Around) -> OrderUpdated | None:
    """The order that the text points to without its number: by day or amount, as the latest, or by what is in it."""
    eligible = around.eligible(flow)
    told = around.entities(text)
    for orders in (eligible, around.orders):
        dated = [order for order in orders if _of_day(order, told) or _of_amount(order, told)]
        if len(dated) == 1:
            return dated[0]
    if _LATEST.search(plain_form(text)) and around.orders:
        return (eligible or list(around.orders))[0]
    for orders in (eligible, list(around.orders)):
        wanted = set(named(text, _things(orders, around)))
        holders = [order for order in orders if any(line.product_id in wanted for line in order.lines)]
        if len(holders) == 1:
            return holders[0]
    return None


def order_of_alike(flow: Flow, around: Around) -> OrderUpdated | None:
    """The order with the product that the text is only like: one that the request can be about, or, where things are
    to be named, any."""
    for orders in (around.eligible(flow), list(around.orders) if "items" in flow.slots else []):
        holders = [order for order in orders if _holds(order, around.alike)]
        if len(holders) == 1:
            return holders[0]
    return None


def sole_order(flow: Flow, around: Around) -> OrderUpdated | None:
    """The only one that the request can be about; the only one there is, so that a rule can say why not."""
    eligible = around.eligible(flow)
    if len(eligible) == 1:
        return eligible[0]
    return around.orders[0] if len(around.orders) == 1 else None


def items_in(text: str, order: OrderUpdated, around: Around) -> tuple[str, ...]:
    """The lines that the text names, in the order's sequence; the only line there is when it names none."""
    plain = _ASIDE.sub(" ", plain_form(text))
    lines = list(order.lines)
    things = _things([order], around)
    kinds = {line.product_id: line.name or "" for line in lines} if not _ALL.search(plain) else {}
    found = set(named(plain, things, kinds))
    if (cut := _EXCEPT.search(plain)) and _ALL.search(plain):
        left = set(named(plain[cut.end() :], things))
        return tuple(line.product_id for line in lines if line.product_id not in left)
    if not found and (number := _NUMBERED.search(plain)):
        place = _ORDINALS[number.group(1) or number.group(2)]
        found = {lines[place].product_id} if place < len(lines) else set()
    if not found and _holds(order, around.alike):
        found = {line.product_id for line in lines if line.product_id == around.alike}
    both = len(lines) == 2 and _BOTH.search(plain) is not None
    if both or (not found and (_ALL.search(plain) or len(lines) == 1)):
        found = {line.product_id for line in lines}
    return tuple(dict.fromkeys(line.product_id for line in lines if line.product_id in found))


def _of_day(order: OrderUpdated, told: Entities) -> bool:
    """Whether it was placed or came on a day that is named."""
    came = order.delivered_at or (order.updated_at if order.status == "delivered" else None)
    return order.placed_at.date() in told.days or (came is not None and came.date() in told.days)


def _of_amount(order: OrderUpdated, told: Entities) -> bool:
    """Whether the whole of it or one thing in it costs an amount that is named."""
    return any(price in told.amounts for price in (order.total, *(line.price for line in order.lines)))


def _holds(order: OrderUpdated, product_id: str | None) -> bool:
    return any(line.product_id == product_id for line in order.lines)


def _things(orders: Iterable[OrderUpdated], around: Around) -> dict[str, frozenset[str]]:
    """The words of each product that the orders hold: one that several hold is one thing."""
    return {line.product_id: _words(line, around) for order in orders for line in order.lines}


def _words(line: OrderLine, around: Around) -> frozenset[str]:
    product = around.products.get(line.product_id)
    titles = [*product.title.values(), product.brand or "", *product.category[-1:]] if product else []
    return words_of(line.name or "", *titles, *line.attributes.values())
