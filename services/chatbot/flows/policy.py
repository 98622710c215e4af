"""Policy rules: CEL expressions over facts of the order. Never decided by a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import cel

from rapport.events.catalog import ProductUpserted
from rapport.events.orders import OrderLine, OrderUpdated, PaymentMethod
from rapport.ops.errors import ConfigurationError
from services.chatbot.domain.dialogue import Slots

Facts = dict[str, Any]
Then = Literal["refuse", "offer_person", "handoff"]
_DAY_S = 86_400.0
# A rule is tried on these when the file is read, so that a misspelt fact stops the start and not a conversation.
_SPECIMEN: Facts = {
    "order": {
        "id": "o", "status": "delivered", "days_since_placed": 1.0, "hours_since_placed": 24.0,
        "days_since_delivery": 1.0, "total": 1.0, "payment": "", "requested": [], "lines": 1,
    },
    "items": [{"product_id": "p", "name": "n", "category": ["c"], "price": 1.0}],
    "amount": 1.0, "difference": 0.0, "reason": "", "method": {"id": "", "kind": "", "original": True, "balance": 0.0},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """`allow` must hold once the slot `after` is known."""

    after: str
    allow: cel.Program
    source: str
    say: str
    """The sentence for the customer when it does not hold."""
    then: Then

    def holds(self, facts: Facts) -> bool:
        return bool(self.allow.execute(facts))


def compiled(source: str, policy: Mapping[str, Any], field: str) -> cel.Program:
    """Raises `ConfigurationError` for what is not an expression, or names what is no fact."""
    try:
        program = cel.compile(source)
        program.execute({**_SPECIMEN, "policy": dict(policy)})
    except (ValueError, RuntimeError, TypeError, LookupError) as error:
        raise ConfigurationError(f"{source!r}: {error}", field=field) from error
    return program


def order_facts(order: OrderUpdated, now: datetime, requested: Sequence[str]) -> Facts:
    """What rules may ask of an order. Without a delivery `days_since_delivery` is -1."""
    delivered = order.delivered_at or (order.updated_at if order.status == "delivered" else None)
    placed = (now - order.placed_at).total_seconds()
    return {
        "id": order.order_id,
        "status": order.status,
        "days_since_placed": placed / _DAY_S,
        "hours_since_placed": placed / 3600,
        "days_since_delivery": (now - delivered).total_seconds() / _DAY_S if delivered else -1.0,
        "total": float(order.total or 0),
        "payment": order.payment_method or "",
        "requested": list(requested),
        "lines": len(order.lines),
    }


def item_facts(line: OrderLine, product: ProductUpserted | None) -> Facts:
    return {
        "product_id": line.product_id,
        "name": line.name or "",
        "category": list(product.category) if product else [],
        "price": float(line.price or 0),
    }


def method_facts(method: PaymentMethod | None, order: OrderUpdated) -> Facts:
    """The payment method chosen; without one: back to where the money came from."""
    if method is None:
        return {"id": order.payment_method or "", "kind": "", "original": True, "balance": 0.0}
    return {
        "id": method.id,
        "kind": method.kind,
        "original": method.id == order.payment_method,
        "balance": float(method.balance or 0),
    }


def amount_of(order: OrderUpdated, items: Sequence[str] | None) -> Decimal:
    """Price of the items; of the whole order its total."""
    lines = [line for line in order.lines if items is None or line.product_id in items]
    if len(lines) == len(order.lines) and order.total is not None:
        return order.total
    return sum(((line.price or Decimal(0)) * line.quantity for line in lines), Decimal(0))


def difference_of(order: OrderUpdated, slots: Slots, products: Mapping[str, ProductUpserted]) -> Decimal:
    """What the variants wished for cost more than the items; negative: less."""
    paid = {line.product_id: line.price or Decimal(0) for line in order.lines}
    # Another piece of the same is a replacement: it costs nothing, whatever the price is now.
    news = {old: products.get(wish.product_id or "") for old, wish in slots.wishes.items() if wish.product_id != old}
    return sum(((new.price or Decimal(0)) - paid.get(old, Decimal(0)) for old, new in news.items() if new), Decimal(0))
