"""Sessions in event time, whatever the order of arrival."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rapport.events.behaviour import CheckoutStarted, PageViewed, ProductAdded
from rapport.testing import ordered, viewed

if TYPE_CHECKING:
    from tests.unit.profiler.conftest import Shop


async def test_a_pause_of_more_than_half_an_hour_ends_a_session(shop: Shop) -> None:
    first = await shop.happen(viewed("c1", "running-0"))
    same = await shop.happen(viewed("c1", "running-1"), minutes=30)
    other = await shop.happen(viewed("c1", "running-2"), minutes=61)
    assert same.session.session_id == first.session.session_id
    assert (same.session.event_count, same.session.session_count) == (2, 1)
    assert other.session.session_id != first.session.session_id
    assert (other.session.event_count, other.session.session_count) == (1, 2)


async def test_the_funnel_stage_is_the_farthest_reached_and_starts_anew(shop: Shop) -> None:
    steps = [
        PageViewed(customer_id="c1", url="/"),
        viewed("c1", "running-0"),
        ProductAdded(customer_id="c1", product_id="running-0"),
        viewed("c1", "running-1"),
        CheckoutStarted(customer_id="c1"),
        ordered("c1", "o1", "running-0"),
    ]
    stages = [(await shop.happen(step, minutes=number)).session.funnel_stage for number, step in enumerate(steps)]
    assert stages == ["browse", "consider", "cart", "cart", "checkout", "purchase"]
    assert (await shop.happen(PageViewed(customer_id="c1"), days=1)).session.funnel_stage == "browse"


async def test_a_late_event_joins_the_session_that_it_lies_in(shop: Shop) -> None:
    await shop.happen(viewed("c1", "running-0"), minutes=20)
    profile = await shop.happen(ordered("c1", "o1", "running-0"), minutes=5)
    assert (profile.session.event_count, profile.session.funnel_stage) == (2, "purchase")
    assert profile.session.started_at < profile.session.last_event_at
    assert profile.first_seen_at == profile.session.started_at


async def test_an_event_of_a_session_that_is_over_leaves_the_newest_alone(shop: Shop) -> None:
    now = await shop.happen(viewed("c1", "running-0"), days=1)
    profile = await shop.happen(viewed("c1", "running-1"))
    assert profile.session == now.session
    assert (profile.event_count, profile.last_seen_at) == (2, now.last_seen_at)
    assert profile.first_seen_at < now.first_seen_at


async def test_the_shops_own_session_id_is_kept(shop: Shop) -> None:
    profile = await shop.happen(viewed("c1", "running-0", session_id="web-7"), viewed("c1", "running-1"))
    assert profile.session.session_id == "web-7"


async def test_a_clock_that_runs_years_ahead_is_not_believed(shop: Shop) -> None:
    await shop.happen(viewed("c1", "running-0"))
    wrong = shop.at(viewed("c1", "coffee-0", occurred_at="2099-01-01T00:00:00Z"), minutes=1)
    await shop.take(wrong)
    profile = await shop.profile()
    assert profile.last_seen_at.year == 2026
    assert {need.label for need in profile.needs} == {"Running shoes", "Coffee makers"}
