"""A confirmed request as a command on orders.actions.v1."""

from __future__ import annotations

import json
import uuid
from datetime import datetime

from rapport.events.orders import Exchange, OrderActionRequested, OrderUpdated
from services.chatbot.domain.dialogue import Slots
from services.chatbot.flows.filling import ORIGINAL
from services.chatbot.flows.spec import Flow


def command(
    tenant: str, order: OrderUpdated, flow: Flow, slots: Slots, *, at: datetime, conversation_id: str, message_id: str
) -> OrderActionRequested:
    """The command. Its id follows from what is asked for and from the state of the order that it was checked against:
    said twice, in whichever conversation, it is the same command."""
    items = slots.items or ()
    exchanges = tuple(
        Exchange(product_id=item, new_product_id=wish.product_id, wish=wish.words)
        for item, wish in slots.wishes.items()
        if item in items
    )
    method = slots.payment or slots.refund_to
    about = [
        tenant, order.order_id, order.updated_at.isoformat(), flow.effect, sorted(items),
        [one.model_dump_json() for one in exchanges], slots.address, method,
    ]  # fmt: skip
    return OrderActionRequested(
        occurred_at=at,
        action_id=str(uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(about))),
        order_id=order.order_id,
        customer_id=order.customer_id,
        action=flow.action,
        reason=slots.reason,
        product_ids=items,
        details={"address": slots.address} if slots.address and flow.effect == "address" else {},
        exchanges=exchanges,
        refund_to=None if method == ORIGINAL else method,
        order_updated_at=order.updated_at,
        conversation_id=conversation_id,
        confirmed_by=message_id,
    )
