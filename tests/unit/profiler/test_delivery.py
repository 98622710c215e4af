"""Nothing counted twice, nothing lost, and every profile keeps its promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rapport.events.base import Event
from rapport.events.behaviour import OrderRefunded, PageViewed, ProductAdded, ProductRemoved, ProductReviewed
from rapport.ops.errors import UnavailableError
from rapport.testing import MemoryKeyedState, MemoryKeyValues, ordered, searched, viewed

if TYPE_CHECKING:
    from tests.unit.profiler.conftest import Shop


async def test_one_profile_a_customer_and_batch(shop: Shop) -> None:
    batch = [shop.at(viewed("c1", "running-0")), shop.at(viewed("c2", "coffee-0")), shop.at(viewed("c1", "running-1"))]
    published = await shop.take(*batch)
    assert [(out.topic, out.key, out.event_id) for out in published] == [
        ("profiles.v1", "c1", "profile/clickstream.v1/0/3"),
        ("profiles.v1", "c2", "profile/clickstream.v1/0/2"),
    ]
    assert (await shop.profile()).trigger_event_id == "clickstream.v1/0/3"


async def test_a_batch_handled_twice_tells_the_same_again_and_counts_once(shop: Shop) -> None:
    batch = [shop.at(viewed("c1", "running-0")), shop.at(ordered("c1", "o1", "running-0"))]
    first = await shop.take(*batch)
    assert await shop.take(*batch) == first
    assert (await shop.profile()).event_count == 2


async def test_a_repeat_that_reaches_into_new_messages_counts_the_new_ones(shop: Shop) -> None:
    old, new = shop.at(viewed("c1", "running-0")), shop.at(viewed("c1", "running-1"))
    await shop.take(old)
    [told] = await shop.take(old, new)
    assert (await shop.profile()).event_count == 2
    assert told.event_id.endswith("/2")


async def test_an_event_sent_twice_under_one_id_counts_once(shop: Shop) -> None:
    await shop.take(shop.at(ordered("c1", "o1", "running-0"), event_id="e-1"))
    again = await shop.take(shop.at(ordered("c1", "o1", "running-0"), event_id="e-1"))
    assert again == []
    assert (await shop.profile()).value.order_count == 1


async def test_tenants_are_apart(shop: Shop) -> None:
    await shop.take(shop.at(viewed("c1", "x", category="Tents"), tenant="a|b"))
    await shop.take(shop.at(viewed("b|c1", "y", category="Sofas"), tenant="a"))
    await shop.take(shop.at(viewed("c1", "x", category="Tents"), tenant="a|b"))
    body = await shop.copies.find(("a|b", "c1"))
    assert body is not None
    assert b'"event_count":2' in body
    assert await shop.copies.find(("default", "c1")) is None


async def test_without_the_encoder_nothing_is_counted_and_the_batch_can_be_tried_again(shop: Shop) -> None:
    await shop.happen(viewed("c1", "running-0"))
    batch = [shop.at(viewed("c1", "coffee-0"), minutes=1)]
    shop.encoder.failure = UnavailableError("worker: down")
    with pytest.raises(UnavailableError):
        await shop.take(*batch)
    assert (await shop.profile()).event_count == 1
    shop.encoder.failure = None
    await shop.take(*batch)
    assert (await shop.profile()).event_count == 2


async def test_without_redis_no_state_changes(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise UnavailableError("redis: down")

    batch = [shop.at(viewed("c1", "running-0"))]
    with monkeypatch.context() as broken:
        broken.setattr(MemoryKeyValues, "write", refuse)
        with pytest.raises(UnavailableError):
            await shop.take(*batch)
    assert shop.state.get("default|c1") is None
    assert len(await shop.take(*batch)) == 1


EVENTS: list[Event] = [
    viewed("c1", "running-0"),
    viewed("c2", "coffee-1", price="9.50", currency="EUR"),
    searched("c1", "咖啡机"),
    searched("c2", "moka pot"),
    ProductAdded(customer_id="c1", product_id="headphones-1"),
    ProductRemoved(customer_id="c1", product_id="headphones-1"),
    ordered("c1", "o1", "running-1", "coffee-0", total="99.95"),
    OrderRefunded(customer_id="c1", order_id="o1"),
    ProductReviewed(customer_id="c1", product_id="running-1", review_body="I love it"),
    PageViewed(customer_id="c2", url="/"),
]
Log = list[tuple[Event, float, bool]]
LOG = st.lists(st.tuples(st.sampled_from(EVENTS), st.floats(0, 60), st.booleans()), min_size=1, max_size=30)


@given(log=LOG)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_every_profile_keeps_its_promises(shop: Shop, log: Log) -> None:
    shop.state = MemoryKeyedState()
    for event, days, _ in log:
        profile = await shop.happen(event, days=days)
        strengths = [need.strength for need in profile.needs]
        assert not strengths or sum(strengths) == pytest.approx(1)
        assert strengths == sorted(strengths, reverse=True)
        assert len(strengths) <= 8
        session = profile.session
        assert profile.first_seen_at <= session.started_at <= session.last_event_at <= profile.last_seen_at
        assert (profile.value.revenue or 0) >= 0
