"""Orders (orders.v1: their state, compacted) and confirmed commands on them (orders.actions.v1)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from rapport.events.base import Amount, Currency, Event, Id, Payload, Time

OrderStatus = Literal[
    "placed", "paid", "packed", "shipped", "delivered", "cancelled", "return_requested", "returned", "refunded"
]


class OrderLine(Payload):
    product_id: Id
    name: str | None = None
    quantity: Annotated[int, Field(ge=1)] = 1
    price: Amount | None = None


class OrderUpdated(Event):
    """An order as it is now, whole."""

    event_name: ClassVar[str] = "order_updated"
    order_id: Id
    customer_id: Id
    status: OrderStatus
    placed_at: Time
    updated_at: Time
    lines: tuple[OrderLine, ...] = ()
    total: Amount | None = None
    currency: Currency | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    expected_at: Time | None = None
    """Expected delivery."""


class OrderActionRequested(Event):
    """A command that the customer confirmed and the policy allows."""

    event_name: ClassVar[str] = "order_action_requested"
    action_id: Id
    order_id: Id
    customer_id: Id
    action: Literal["return", "cancel", "refund", "exchange", "address"]
    reason: str | None = None
    product_ids: tuple[Id, ...] = ()
    details: dict[str, str] = {}
