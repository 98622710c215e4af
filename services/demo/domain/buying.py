"""The lower funnel: cart, coupon, checkout, order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from rapport.events.behaviour import CartViewed, CheckoutStarted, CouponApplied, OrderCompleted, ProductRemoved
from services.demo.domain.goods import CURRENCY, Product
from services.demo.domain.journal import Journal
from services.demo.domain.world import World

_VIEW_CART, _REMOVE, _CHECK_OUT, _COMPLETE, _COUPON = 0.8, 0.1, 0.75, 0.8, 0.4
# As the help articles say.
FREE_SHIPPING_FROM, SHIPPING = Decimal(49), Decimal("4.90")
_COUPON_FROM, _COUPON_SHARE = Decimal(30), Decimal("0.10")
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Bought:
    """An order as the customer placed it."""

    order_id: str
    placed_at: datetime
    products: tuple[Product, ...]
    total: Decimal


def buy(world: World, journal: Journal, order_id: str) -> Bought | None:
    """From the cart to the order, as far as this shopper goes today. None: nothing was ordered."""
    dice, language = journal.dice, journal.shopper.language
    cart_id = f"cart-{journal.visit_id}"
    if not journal.cart or dice.random() > _VIEW_CART:
        return None
    journal.note(CartViewed, 10, cart_id=cart_id, products=tuple(p.seen(language) for p in journal.cart))
    if dice.random() < _REMOVE:
        dropped = journal.cart.pop()
        journal.note(ProductRemoved, 8, product_id=dropped.id, price=dropped.price, currency=CURRENCY, cart_id=cart_id)
    if not journal.cart or dice.random() > _CHECK_OUT:
        return None
    journal.sign_in()
    products = tuple(product.seen(language) for product in journal.cart)
    value = sum((product.price for product in journal.cart), Decimal(0))
    coupon, discount = _coupon(world, journal, value)
    journal.note(CheckoutStarted, 15, order_id=order_id, value=value, currency=CURRENCY, products=products)
    if dice.random() > _COMPLETE:
        return None
    # An order that the discount pushes below the limit still ships free: the limit is on what the goods are worth.
    total = value - discount + (SHIPPING if value < FREE_SHIPPING_FROM else 0)
    journal.note(
        OrderCompleted, 45, order_id=order_id, total=total, currency=CURRENCY, products=products, coupon=coupon
    )
    return Bought(order_id, journal.now, tuple(journal.cart), total)


def _coupon(world: World, journal: Journal, value: Decimal) -> tuple[str | None, Decimal]:
    if value < _COUPON_FROM or journal.dice.random() > _COUPON * journal.shopper.price_sensitivity * 2:
        return None, Decimal(0)
    coupon = journal.dice.choice(world.phrases.coupons)
    discount = (value * _COUPON_SHARE).quantize(_CENT)
    journal.note(CouponApplied, 8, coupon_id=coupon, discount=discount)
    return coupon, discount
