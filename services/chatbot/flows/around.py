"""What a request is filled and checked against: the customer's own orders, the goods, the time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rapport.events.catalog import ProductUpserted, in_language
from rapport.events.orders import OrderLine, OrderUpdated, PaymentMethod
from services.chatbot.domain.dialogue import Dialogue, Slots
from services.chatbot.domain.entities import Entities, find
from services.chatbot.domain.languages import Language
from services.chatbot.flows.policy import (
    Facts,
    amount_of,
    difference_of,
    item_facts,
    method_facts,
    order_facts,
)
from services.chatbot.flows.spec import Flow, Flows

Variants = Callable[[str], Sequence[ProductUpserted]]


@dataclass(frozen=True, slots=True)
class Around:
    """One message's surroundings. Only the customer's own orders are ever in it."""

    flows: Flows
    orders: tuple[OrderUpdated, ...]
    """Newest first."""
    products: Mapping[str, ProductUpserted]
    """Of the orders' lines and of their variants, by id."""
    variants: Variants
    """The products of a group, on sale or not."""
    now: datetime
    language: Language
    dialogue: Dialogue
    alike: str | None = None
    """Product of an order that the message means although it shares no word with it, by the likeness of vectors."""

    def entities(self, text: str) -> Entities:
        """What `text` names."""
        return find(text, self.orders, self.flows.reasons, self.now.date())

    def order(self, order_id: str | None) -> OrderUpdated | None:
        return next((order for order in self.orders if order.order_id == order_id), None)

    def eligible(self, flow: Flow) -> list[OrderUpdated]:
        """Orders that the request may be about, newest first."""
        if flow.eligible is None:
            return list(self.orders)
        return [one for one in self.orders if bool(flow.eligible.execute(self.facts(Slots(order=one.order_id))))]

    def facts(self, slots: Slots) -> Facts:
        """What rules see. `slots.order` must be one of the orders."""
        order = next(one for one in self.orders if one.order_id == slots.order)
        lines = lines_of(order, slots.items)
        method = self.method(order, slots.payment or slots.refund_to)
        return {
            "order": order_facts(order, self.now, self.dialogue.actions_on(order.order_id)),
            "items": [item_facts(line, self.products.get(line.product_id)) for line in lines],
            "amount": float(amount_of(order, slots.items)),
            "difference": float(difference_of(order, slots, self.products)),
            "reason": slots.reason or "",
            "method": method_facts(method, order),
            "policy": self.flows.policy,
        }

    def method(self, order: OrderUpdated, method_id: str | None) -> PaymentMethod | None:
        return next((one for one in order.payment_methods if one.id == method_id), None)

    def line_name(self, line: OrderLine) -> str:
        """As the customer knows it: the catalogue's title in their language, with what tells variants apart."""
        product = self.products.get(line.product_id)
        name = in_language(product.title, self.language) if product else line.name or line.product_id
        return f"{name} ({', '.join(line.attributes.values())})" if line.attributes else name

    def product_name(self, product_id: str) -> str:
        product = self.products.get(product_id)
        return variant_name(product, self.language) if product else product_id


def variant_name(product: ProductUpserted, language: Language) -> str:
    """The title, with what tells a variant from the others."""
    told = ", ".join(str(value) for value in product.attributes.values()) if product.group_id else ""
    title = in_language(product.title, language)
    return f"{title} ({told})" if told else title


def lines_of(order: OrderUpdated, items: Sequence[str] | None) -> list[OrderLine]:
    """The lines of the chosen products; all of them when nothing is chosen."""
    return [line for line in order.lines if items is None or line.product_id in items]
