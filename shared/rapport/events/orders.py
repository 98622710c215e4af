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
    attributes: dict[str, str] = {}
    """Of the variant bought: colour, size."""


class PaymentMethod(Payload):
    """A means of payment on file. No card numbers: an id, a kind, and what to call it."""

    id: Id
    kind: str
    """credit_card, paypal, gift_card, …"""
    label: str | None = None
    """As the customer knows it, e.g. "Visa ending in 4242"."""
    balance: Amount | None = None
    """Of a gift card."""


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
    delivered_at: Time | None = None
    """Left out: `updated_at` of the update that said delivered."""
    address: str | None = None
    """Where it goes, in one line."""
    payment_method: Id | None = None
    """What it was paid with."""
    payment_methods: tuple[PaymentMethod, ...] = ()
    """The customer's means of payment that a refund or a price difference may go to."""


class Exchange(Payload):
    """One thing for another."""

    product_id: Id
    new_product_id: Id | None = None
    """None: the shop chooses by `wish`."""
    wish: str | None = None
    """What the customer wants instead, in their words."""


class OrderActionRequested(Event):
    """A command that the customer confirmed and the policy allows. The same command on the same state of an order has
    the same `action_id`, whoever sends it: carry each out once."""

    event_name: ClassVar[str] = "order_action_requested"
    action_id: Id
    order_id: Id
    customer_id: Id
    action: Literal["return", "cancel", "refund", "exchange", "address", "payment"]
    reason: str | None = None
    product_ids: tuple[Id, ...] = ()
    details: dict[str, str] = {}
    exchanges: tuple[Exchange, ...] = ()
    refund_to: Id | None = None
    """Payment method for the refund or the price difference; of action payment: the new one."""
    order_updated_at: Time | None = None
    """`updated_at` of the order that the policy was checked against."""
    conversation_id: Id | None = None
    """Where it was confirmed."""
    confirmed_by: Id | None = None
    """The message that confirmed it."""
