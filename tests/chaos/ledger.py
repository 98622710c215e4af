"""What was sent in one run, and what must have become of it: plain arithmetic, nothing of Rapport's own formulas."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import permutations

from tests.e2e.page import Json

CUSTOMERS, PRODUCTS, PRODUCTS_EACH = 60, 12, 5
PRICE = Decimal("20.00")
# How much a look, an addition to the cart and a purchase say of a product, and a pair bought together beside one that
# was looked at together: DESIGN leaves the weights to the recommender, whose documentation of them this follows.
LOOKED, WANTED, BOUGHT, BOUGHT_TOGETHER = 1, 2, 4, 2


@dataclass(slots=True)
class Ledger:
    """Counts only what the broker has stored. Every event is of the same moment, so that nothing has faded."""

    run: str
    at: datetime
    events: Counter[str] = field(default_factory=Counter)
    """By customer."""
    orders: Counter[str] = field(default_factory=Counter)
    weights: Counter[str] = field(default_factory=Counter)
    """By product."""
    lookers: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Customers by product."""
    bought: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Orders that hold both, each way round."""
    titles: dict[str, str] = field(default_factory=dict)
    """Of each product, as published last."""
    messages: set[str] = field(default_factory=set)
    """Ids of the chat messages."""
    briefs: set[str] = field(default_factory=set)
    order_states: dict[str, str] = field(default_factory=dict)
    """Customer by order."""

    def customer(self, number: int) -> str:
        return f"chaos-{self.run}-customer-{number % CUSTOMERS}"

    def product(self, number: int) -> str:
        return f"chaos-{self.run}-product-{number % PRODUCTS}"

    def products_of(self, customer: int) -> list[str]:
        """The few products that a customer ever touches."""
        return [self.product(customer + step) for step in (0, 1, 3, 4, 9)]

    def note(self, event: str, payload: Json) -> None:
        """An event is stored."""
        customer = str(payload.get("customer_id", ""))
        match event:
            case "product_upserted":
                self.titles[payload["product_id"]] = payload["title"]["en"]
            case "chat_message":
                self.messages.add(payload["message_id"])
            case "content_requested":
                self.briefs.add(payload["request_id"])
            case "order_updated":
                self.order_states[payload["order_id"]] = customer
            case _:
                self.events[customer] += 1
                self._count(event, customer, payload)

    def _count(self, event: str, customer: str, payload: Json) -> None:
        match event:
            case "product_viewed":
                self.weights[payload["product_id"]] += LOOKED
                self.lookers[payload["product_id"]].add(customer)
            case "product_added":
                self.weights[payload["product_id"]] += WANTED
            case "order_completed":
                self.orders[customer] += 1
                products = [line["product_id"] for line in payload["products"]]
                for product in products:
                    self.weights[product] += BOUGHT
                for pair in permutations(products, 2):
                    self.bought[pair] += 1

    def tie(self, one: str, other: str) -> int:
        """How much two products go together: customers who looked at both, and twice the orders that hold both."""
        return len(self.lookers[one] & self.lookers[other]) + BOUGHT_TOGETHER * self.bought[one, other]

    def revenue(self, customer: str) -> Decimal:
        return self.orders[customer] * 2 * PRICE
