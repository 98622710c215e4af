"""Hours, devices, exits, discounts, returns, attributes, and events that come late."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from rapport.events.behaviour import OrderCompleted, OrderRefunded, ProductAdded
from rapport.events.catalog import ProductUpserted
from rapport.testing import message, ordered, searched, viewed
from tests.unit.profiler.conftest import product

if TYPE_CHECKING:
    from tests.unit.profiler.conftest import Shop


def bought(order: str, price: str, quantity: int = 1, **more: Any) -> OrderCompleted:
    line = {"product_id": "coffee-0", "price": price, "currency": "EUR", "quantity": quantity}
    fields = {"customer_id": "c1", "order_id": order, "total": price, "currency": "EUR", "products": [line], **more}
    return OrderCompleted.model_validate(fields)


async def test_hours_and_devices_are_shares(shop: Shop) -> None:
    phone, desk = {"context": {"device": "mobile"}}, {"context": {"device": "desktop"}}
    await shop.happen(viewed("c1", "running-0", **phone), viewed("c1", "running-1", **phone))
    profile = await shop.happen(viewed("c1", "running-0", **desk), minutes=60)
    assert profile.habits.devices == {"mobile": pytest.approx(2 / 3, 1e-3), "desktop": pytest.approx(1 / 3, 1e-2)}
    assert profile.habits.hours == {"9": pytest.approx(2 / 3, 1e-3), "10": pytest.approx(1 / 3, 1e-2)}


async def test_every_finished_session_counts_where_it_ended(shop: Shop) -> None:
    await shop.happen(viewed("c1", "running-0"), ProductAdded(customer_id="c1", product_id="running-0"))
    await shop.happen(viewed("c1", "running-0"), minutes=100)
    profile = await shop.happen(viewed("c1", "running-0"), minutes=200)
    assert profile.habits.exits == {"cart": 1, "consider": 1}
    assert profile.session.funnel_stage == "consider"


async def test_returns_are_pieces_sent_back_of_pieces_ordered(shop: Shop) -> None:
    lines = [{"product_id": "coffee-0", "price": "10.00", "quantity": 1}]
    back = {"customer_id": "c1", "order_id": "o1", "products": lines, "currency": "EUR"}
    profile = await shop.happen(bought("o1", "129.00", quantity=4), OrderRefunded.model_validate(back))
    assert profile.habits.returns_rate == 0.25


async def test_who_buys_only_reduced_is_sensitive_and_who_looks_at_it_too_is_less(shop: Shop) -> None:
    full = [viewed("c1", "coffee-0", price="129.00", currency="EUR") for _ in range(4)]
    eager = await shop.happen(*full, bought("o1", "64.50"), bought("o2", "64.50"))
    assert eager.habits.discount_sensitivity == pytest.approx(2 / 4)
    in_sale = [viewed("c1", "coffee-0", price="64.50", currency="EUR") for _ in range(8)]
    wary = await shop.happen(*in_sale, minutes=9)
    assert wary.habits.discount_sensitivity == pytest.approx((2 - 2 * 8 / 14) / 4)


async def test_a_coupon_makes_an_order_a_reduced_one(shop: Shop) -> None:
    plain = await shop.happen(viewed("c1", "coffee-0"), bought("o1", "129.00"))
    assert plain.habits.discount_sensitivity == 0
    both = await shop.happen(bought("o2", "129.00", coupon="SPRING"), minutes=1)
    assert both.habits.discount_sensitivity == 1 / 4


async def test_no_order_no_rates(shop: Shop) -> None:
    profile = await shop.happen(searched("c1", "tent"))
    assert (profile.habits.returns_rate, profile.habits.discount_sensitivity) == (None, None)


async def test_attributes_of_what_is_looked_at_are_an_affinity(shop: Shop) -> None:
    tent = product("tent-0", "Ridge", "Tents").model_copy(update={"attributes": {"colour": "red", "weight": 3}})
    tent = tent.model_copy(update={"title": {"en": "Ridge", "zh": "山脊"}})
    tent.attributes["colour_zh"] = "红色"
    await shop.catalog.apply([message(ProductUpserted.model_validate(tent.model_dump()), 99)])
    profile = await shop.happen(viewed("c1", "tent-0"))
    assert [each.value for each in profile.affinities if each.dimension == "attribute"] == ["colour: red"]


async def test_late_is_counted_in_and_too_late_is_counted_apart(shop: Shop) -> None:
    shop.rules = replace(shop.rules, allowed_lateness_ms=24 * 3_600_000)
    await shop.happen(viewed("c1", "running-0"), days=3)
    within = await shop.happen(viewed("c1", "running-1"), days=2.5)
    assert (within.habits.late_events, within.habits.too_late_events) == (1, 0)
    assert within.recent_product_ids == ("running-0", "running-1")
    beyond = await shop.happen(viewed("c1", "coffee-0"), days=1)
    assert (beyond.habits.late_events, beyond.habits.too_late_events) == (1, 1)
    assert (beyond.needs, beyond.affinities, beyond.session) == (within.needs, within.affinities, within.session)
    assert (beyond.event_count, beyond.first_seen_at) == (3, within.first_seen_at)


async def test_money_counts_however_late(shop: Shop) -> None:
    await shop.happen(ordered("c1", "o1", "coffee-0", total="30.00"), days=60)
    profile = await shop.happen(ordered("c1", "o2", "coffee-1", total="12.00"))
    assert (profile.value.order_count, str(profile.value.revenue)) == (2, "42.00")
    assert profile.habits.too_late_events == 1
