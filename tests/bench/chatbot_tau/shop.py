"""tau-bench retail's shop as our products and orders, and its gold actions in one comparable form."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from rapport.events.catalog import ProductUpserted
from rapport.events.orders import OrderActionRequested, OrderLine, OrderUpdated, PaymentMethod

NOW = datetime(2024, 5, 15, tzinfo=UTC)
# The newest orders in the data have no dates: all count as placed and delivered some days ago.
_AT = datetime(2024, 5, 10, tzinfo=UTC)
_STATUS = {"pending": "placed", "processed": "packed", "delivered": "delivered", "cancelled": "cancelled"}
_REASONS = {"no longer needed": "changed_mind", "ordered by mistake": "ordered_by_mistake"}
Action = tuple[Any, ...]
Json = dict[str, Any]


@dataclass(frozen=True)
class Shop:
    products: dict[str, ProductUpserted]
    orders: dict[str, list[OrderUpdated]]
    """By user."""
    raw_orders: dict[str, Json]
    users: dict[str, Json]


def load(folder: Path) -> Shop:
    """Raises FileNotFoundError where the data set is not there."""
    read = {name: json.loads((folder / f"{name}.json").read_text("utf-8")) for name in ("products", "orders", "users")}
    products = {
        item["item_id"]: ProductUpserted(
            product_id=item["item_id"],
            group_id=product["product_id"],
            title={"en": product["name"]},
            price=Decimal(str(item["price"])),
            currency="USD",
            stock=5 if item["available"] else 0,
            attributes=item["options"],
        )
        for product in read["products"].values()
        for item in product["variants"].values()
    }
    orders: dict[str, list[OrderUpdated]] = {}
    for order in read["orders"].values():
        orders.setdefault(order["user_id"], []).append(_order(order, read["users"][order["user_id"]]))
    return Shop(products, orders, read["orders"], read["users"])


def _order(order: Json, user: Json) -> OrderUpdated:
    methods = tuple(
        PaymentMethod(
            id=one["id"],
            kind=one["source"],
            label=f"{one['brand']} ending in {one['last_four']}" if one["source"] == "credit_card" else None,
            balance=Decimal(str(one["balance"])) if "balance" in one else None,
        )
        for one in user["payment_methods"].values()
    )
    return OrderUpdated(
        order_id=order["order_id"],
        customer_id=order["user_id"],
        status=_STATUS[order["status"]],
        placed_at=_AT,
        updated_at=_AT,
        lines=tuple(
            OrderLine(
                product_id=item["item_id"],
                name=item["name"],
                price=Decimal(str(item["price"])),
                attributes=item["options"],
            )
            for item in order["items"]
        ),
        total=Decimal(str(order["payment_history"][0]["amount"])),
        currency="USD",
        payment_method=order["payment_history"][0]["payment_method_id"],
        payment_methods=methods,
    )


def carried_out(action: Json, shop: Shop) -> bool:
    """Whether tau-bench's own tools would do it: they refuse a gift card that does not cover the sum, and then nothing
    changes."""
    told = action["kwargs"]
    if not str(told.get("payment_method_id", "")).startswith("gift_card") or action["name"].startswith("return"):
        return True
    order = shop.raw_orders[told["order_id"]]
    balance = shop.users[order["user_id"]]["payment_methods"][told["payment_method_id"]]["balance"]
    if action["name"] == "modify_pending_order_payment":
        return bool(balance >= order["payment_history"][0]["amount"])
    paid = {item["item_id"]: item["price"] for item in order["items"]}
    new = sum(float(shop.products[item].price or 0) for item in told["new_item_ids"])
    return bool(balance >= new - sum(paid[item] for item in told["item_ids"]))


def gold(action: Json) -> Action | None:
    """A writing action in the form of `sent`; None for one that only reads."""
    name, told = action["name"], action["kwargs"]
    if name == "cancel_pending_order":
        return ("cancel", told["order_id"], _REASONS[told["reason"]])
    if name == "return_delivered_order_items":
        return ("return", told["order_id"], tuple(sorted(told["item_ids"])), told["payment_method_id"])
    if name in ("exchange_delivered_order_items", "modify_pending_order_items"):
        pairs = tuple(sorted(zip(told["item_ids"], told["new_item_ids"], strict=True)))
        return ("exchange", told["order_id"], pairs, told["payment_method_id"])
    if name == "modify_pending_order_address":
        return ("address", told["order_id"], plain_address(address_of(told)))
    if name == "modify_pending_order_payment":
        return ("payment", told["order_id"], told["payment_method_id"])
    return None


def sent(command: OrderActionRequested) -> Action:
    """What the bot commanded."""
    if command.action == "cancel":
        return ("cancel", command.order_id, command.reason)
    if command.action == "return":
        return ("return", command.order_id, tuple(sorted(command.product_ids)), command.refund_to)
    if command.action == "exchange":
        pairs = tuple(sorted((one.product_id, one.new_product_id) for one in command.exchanges))
        return ("exchange", command.order_id, pairs, command.refund_to)
    if command.action == "address":
        return ("address", command.order_id, plain_address(command.details["address"]))
    return (command.action, command.order_id, command.refund_to)


def address_of(told: Json) -> str:
    parts = [told[name] for name in ("address1", "address2", "city", "state", "zip", "country") if told.get(name)]
    return ", ".join(parts)


def plain_address(address: str) -> tuple[str, ...]:
    return tuple(sorted(part.strip().casefold() for part in address.split(",")))
