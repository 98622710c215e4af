"""Recency, frequency and monetary value of a customer's orders."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from services.profiler.domain.observation import Order, Refund

# Orders that a late refund, or the same order told twice, is still matched with.
_MAX_ORDERS = 32
# An order of which everything came back before we heard of it.
_ALL = Decimal("Infinity")
_NOTHING = Decimal(0)


@dataclass(slots=True)
class Account:
    """What is known of one order's money, in the customer's currency."""

    placed: bool
    remaining: Decimal
    """What it still adds to the revenue."""
    refunded: Decimal
    """What came back before the order itself was heard of."""


@dataclass(slots=True)
class Value:
    """An order in another currency than the first one's counts for recency and frequency, not for revenue.

    Frequency counts orders placed: a refund takes back the money, not the visit to the till.
    """

    last_order_at: int | None = None
    order_count: int = 0
    revenue: Decimal = _NOTHING
    currency: str | None = None
    orders: dict[str, Account] = field(default_factory=dict)

    def place(self, order: Order, at: int) -> None:
        """Counts an order, once for its id."""
        known = self.orders.pop(order.order_id, None)
        if known is not None and known.placed:
            self._remember(order.order_id, known)
            return
        self.currency = self.currency or order.currency
        back = known.refunded if known else _NOTHING
        remaining = max(_NOTHING, order.total - back) if order.currency == self.currency else _NOTHING
        self.order_count += 1
        self.last_order_at = max(self.last_order_at or at, at)
        self.revenue += remaining
        self._remember(order.order_id, Account(True, remaining, _NOTHING))

    def give_back(self, refund: Refund) -> None:
        """Takes a refund off the revenue, at most what is left of its order. It may come before the order does."""
        if refund.currency and self.currency and refund.currency != self.currency and refund.amount is not None:
            return
        known = self.orders.pop(refund.order_id, None) or Account(False, _NOTHING, _NOTHING)
        amount = _ALL if refund.amount is None else refund.amount
        if known.placed:
            back = min(amount, known.remaining)
            known.remaining -= back
            self.revenue -= back
        else:
            known.refunded += amount
        self._remember(refund.order_id, known)

    def join(self, other: Value) -> None:
        """Adds another customer's orders, who is the same person. An order that both know of counts once."""
        self.order_count += other.order_count
        if other.last_order_at is not None:
            self.last_order_at = max(self.last_order_at or other.last_order_at, other.last_order_at)
        self.currency = self.currency or other.currency
        same_money = other.currency == self.currency
        if same_money:
            self.revenue += other.revenue
        for order_id, theirs in other.orders.items():
            self._join_order(order_id, theirs, same_money)

    def _join_order(self, order_id: str, theirs: Account, same_money: bool) -> None:
        ours = self.orders.pop(order_id, None) or Account(False, _NOTHING, _NOTHING)
        remaining = theirs.remaining if same_money else _NOTHING
        if ours.placed and theirs.placed:
            left = min(ours.remaining, remaining) if same_money else ours.remaining
            self.order_count -= 1
        elif ours.placed or theirs.placed:
            left = max(_NOTHING, ours.remaining + remaining - ours.refunded - theirs.refunded)
        else:
            self._remember(order_id, Account(False, _NOTHING, ours.refunded + theirs.refunded))
            return
        self.revenue -= ours.remaining + remaining - left
        self._remember(order_id, Account(True, left, _NOTHING))

    def _remember(self, order_id: str, account: Account) -> None:
        self.orders[order_id] = account
        if len(self.orders) > _MAX_ORDERS:
            del self.orders[next(iter(self.orders))]
