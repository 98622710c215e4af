"""Recency, frequency, monetary value: what orders and refunds do, in whatever order they come."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from rapport.events.behaviour import OrderRefunded, ProductFields
from rapport.testing import ordered

if TYPE_CHECKING:
    from tests.unit.profiler.conftest import Shop


def refunded(order: str, **more) -> OrderRefunded:  # type: ignore[no-untyped-def]
    return OrderRefunded(customer_id="c1", order_id=order, **more)


async def test_orders_add_up(shop: Shop) -> None:
    await shop.happen(ordered("c1", "o1", "running-0", total="129.90"))
    profile = await shop.happen(ordered("c1", "o2", "coffee-0", "coffee-1", total="0.10"), days=3)
    value = profile.value
    assert (value.order_count, value.revenue, value.currency) == (2, Decimal("130.00"), "EUR")
    assert value.last_order_at == profile.last_seen_at
    assert profile.purchased_product_ids == ("coffee-1", "coffee-0", "running-0")


async def test_an_order_told_twice_counts_once(shop: Shop) -> None:
    profile = await shop.happen(ordered("c1", "o1", "running-0"), ordered("c1", "o1", "running-0"))
    assert (profile.value.order_count, profile.value.revenue) == (1, Decimal("10.00"))


@pytest.mark.parametrize(
    ("refund", "left"),
    [
        (refunded("o1"), "0"),
        (refunded("o1", total=Decimal(4), currency="EUR"), "6"),
        (refunded("o1", total=Decimal(99), currency="EUR"), "0"),
        (refunded("o1", products=(ProductFields(product_id="p", price=Decimal("1.5"), quantity=2),)), "7"),
        (refunded("o1", total=Decimal(4), currency="USD"), "10"),
    ],
    ids=["whole", "part", "more than paid", "by product", "other currency"],
)
@pytest.mark.parametrize("refund_first", [False, True])
async def test_a_refund_takes_off_what_it_gives_back(
    shop: Shop, refund: OrderRefunded, left: str, refund_first: bool
) -> None:
    events = [ordered("c1", "o0", "coffee-0", total="100"), ordered("c1", "o1", "running-0", total="10"), refund]
    if refund_first:
        events[1:] = reversed(events[1:])
    profile = await shop.happen(*events)
    assert profile.value.revenue == 100 + Decimal(left)
    assert profile.value.order_count == 2


async def test_other_currencies_are_counted_but_not_added_up(shop: Shop) -> None:
    pounds = ordered("c1", "o2", "running-1").model_copy(update={"currency": "GBP"})
    profile = await shop.happen(ordered("c1", "o1", "running-0"), pounds)
    assert (profile.value.order_count, profile.value.revenue, profile.value.currency) == (2, Decimal("10.00"), "EUR")


async def test_who_never_bought_has_no_revenue(shop: Shop) -> None:
    profile = await shop.happen(refunded("o1"))
    assert (profile.value.order_count, profile.value.revenue, profile.value.last_order_at) == (0, None, None)
