"""From behaviour events to observations: which event says what, and how much it weighs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from rapport.events.behaviour import (
    Behaviour,
    CartViewed,
    CheckoutStarted,
    CouponApplied,
    ItemClicked,
    OrderCompleted,
    OrderRefunded,
    ProductAdded,
    ProductClicked,
    ProductFields,
    ProductListViewed,
    ProductRemoved,
    ProductReviewed,
    ProductsSearched,
    ProductViewed,
    ProductWishlisted,
)
from rapport.events.profiler_inbox import CustomerSaid
from services.profiler.domain.observation import Interest, Lookup, Observation, Order, Product, Refund, Stage

# How much an event says of what the customer wants, a product view being 1. The order is what counts: what costs the
# customer more says more. A click leads to a view, and a checkout repeats the adds: they add little or nothing.
_WEIGHTS: Mapping[type[Behaviour], float] = MappingProxyType(
    {
        OrderCompleted: 5.0,
        ProductAdded: 3.0,
        ProductWishlisted: 2.5,
        ProductReviewed: 2.0,
        ProductsSearched: 2.0,
        ProductViewed: 1.0,
        ProductClicked: 0.5,
        ItemClicked: 0.5,
        ProductListViewed: 0.3,
        ProductRemoved: -2.0,
    }
)
_STAGES: Mapping[type[Behaviour], Stage] = MappingProxyType(
    {
        ProductClicked: Stage.CONSIDER,
        ProductViewed: Stage.CONSIDER,
        ProductWishlisted: Stage.CONSIDER,
        ItemClicked: Stage.CONSIDER,
        ProductAdded: Stage.CART,
        ProductRemoved: Stage.CART,
        CartViewed: Stage.CART,
        CouponApplied: Stage.CART,
        CheckoutStarted: Stage.CHECKOUT,
        OrderCompleted: Stage.PURCHASE,
    }
)
# Characters of a review or search that are embedded and shown: more changes neither much, and costs the worker time.
_MAX_TEXT, _MAX_LABEL = 500, 80
# A line of a chat may be about anything: it weighs like a view. Shorter ones ("ok", "好的") name no interest.
_CHAT_WEIGHT, _LEAST_CHAT = 1.0, 8
# What is said about an order or an account tells a mood, and no interest in goods.
_SERVICE = re.compile(
    r"\b(orders?|refund|return(ed|ing|s)?|deliver(y|ed)?|invoice|account|password|cancel|track(ing)?|complaint|agent)\b"
    r"|订单|退款|退货|快递|物流|发货|发票|账号|密码|取消|投诉|客服",
    re.IGNORECASE,
)


def stage_of(event: Behaviour) -> Stage:
    """How far towards buying the event is."""
    return _STAGES.get(type(event), Stage.BROWSE)


def observe(event: Behaviour, event_id: str, source: str, at: int, lookup: Lookup) -> Observation:
    """What `event` says, with what the catalogue knows of its products. `at`: event time in milliseconds."""
    seen = Observation(
        event_id,
        source,
        at,
        _STAGES.get(type(event), Stage.BROWSE),
        session_id=event.session_id,
        anonymous_id=event.anonymous_id if event.customer_id else None,
        locale=event.context.locale,
        kind=event.event_name,
        device=event.context.device,
    )
    read = _READERS.get(type(event))
    return read(seen, event, lookup) if read else seen


def _product_event(seen: Observation, event: Any, lookup: Lookup) -> Observation:
    return seen.interested(event.product_id, _known(event, lookup), _WEIGHTS[type(event)])


def _item_clicked(seen: Observation, event: Any, lookup: Lookup) -> Observation:
    return seen.interested(event.product_id, lookup(event.product_id) or Product(), _WEIGHTS[ItemClicked])


def _searched(seen: Observation, event: Any, _: Lookup) -> Observation:
    query = event.query.strip()
    if not query:
        return seen
    interest = Interest(query[:_MAX_TEXT], _WEIGHTS[ProductsSearched], query[:_MAX_LABEL], asked=True)
    return replace(seen, interests=(interest,), said=query)


def _list_viewed(seen: Observation, event: Any, _: Lookup) -> Observation:
    category = (event.category or "").strip()[:_MAX_TEXT]
    if not category:
        return seen
    weight, label = _WEIGHTS[ProductListViewed], category[:_MAX_LABEL]
    return replace(
        seen, interests=(Interest(category, weight, label, category),), affinities=(("category", category, weight),)
    )


def _reviewed(seen: Observation, event: Any, lookup: Lookup) -> Observation:
    product, body = lookup(event.product_id) or Product(), event.review_body.strip()
    seen = seen.interested(event.product_id, product, _WEIGHTS[ProductReviewed])
    # What is reviewed tells the need, the words tell what matters about it: embedded as one text.
    text = f"{product.text}. {body}" if product.text else body
    label = product.label or body[:_MAX_LABEL]
    interest = Interest(text[:_MAX_TEXT], _WEIGHTS[ProductReviewed], label, product.category)
    return replace(seen, interests=(interest,) if body else seen.interests, review=body[:_MAX_TEXT] or None, said=body)


def _ordered(seen: Observation, event: Any, lookup: Lookup) -> Observation:
    for line in event.products:
        seen = seen.interested(line.product_id, _known(line, lookup), _WEIGHTS[OrderCompleted])
    order = Order(event.order_id, event.total, event.currency)
    coupon = bool(event.coupon)
    pieces = sum(line.quantity for line in event.products)
    reduced = sum(line.quantity for line in event.products if coupon or line.coupon or _known(line, lookup).reduced)
    return replace(
        seen,
        looked_at=(),
        priced=0,
        priced_reduced=0,
        bought=tuple(line.product_id for line in event.products),
        order=order,
        pieces=pieces,
        pieces_reduced=reduced,
    )


def _refunded(seen: Observation, event: Any, _: Lookup) -> Observation:
    amount = event.total
    priced = [line.price * line.quantity for line in event.products if line.price is not None]
    if amount is None and event.products:
        amount = sum(priced, Decimal(0))
    refund = Refund(event.order_id, amount, event.currency)
    return replace(seen, refund=refund, pieces_returned=sum(line.quantity for line in event.products))


def hear(said: CustomerSaid, event_id: str, source: str, at: int) -> Observation:
    """What a line of a conversation says: words, their tone, and what the customer is after."""
    text = said.text.strip()
    seen = Observation(event_id, source, at, Stage.BROWSE, locale=said.language, said=text, kind=said.event_name)
    if not text:
        return seen
    interests: tuple[Interest, ...] = ()
    if len(text) >= _LEAST_CHAT and not _SERVICE.search(text):
        interests = (Interest(text[:_MAX_TEXT], _CHAT_WEIGHT, text[:_MAX_LABEL], asked=True),)
    return replace(seen, interests=interests, review=text[:_MAX_TEXT])


def _known(fields: ProductFields, lookup: Lookup) -> Product:
    """The catalogue's words, else the event's; the event's price, which is what this customer saw."""
    listed = lookup(fields.product_id) or Product()
    own_price = fields.price is not None
    return Product(
        title=listed.title or fields.name or "",
        category=listed.category or fields.category or "",
        brand=listed.brand or fields.brand or "",
        price=fields.price if own_price else listed.price,
        currency=(fields.currency or listed.currency) if own_price else listed.currency,
        # In another currency there is nothing to compare with.
        regular=listed.regular if (fields.currency or listed.currency) == listed.currency else None,
        attributes=listed.attributes,
    )


_READERS: Mapping[type[Behaviour], Callable[[Observation, Any, Lookup], Observation]] = MappingProxyType(
    {
        ProductClicked: _product_event,
        ProductViewed: _product_event,
        ProductAdded: _product_event,
        ProductRemoved: _product_event,
        ProductWishlisted: _product_event,
        ItemClicked: _item_clicked,
        ProductsSearched: _searched,
        ProductListViewed: _list_viewed,
        ProductReviewed: _reviewed,
        OrderCompleted: _ordered,
        OrderRefunded: _refunded,
    }
)
