"""Anonymous becomes known: nothing lost, nothing counted twice, and the old id still answers."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rapport.bus.messages import Message, Outgoing
from rapport.events.base import Event
from rapport.events.behaviour import Identify, OrderRefunded
from rapport.events.profiles import ProfileUpdated, SegmentChanged
from rapport.testing import MemoryKeyedState, message, ordered, searched, viewed

if TYPE_CHECKING:
    from services.profiler.domain.customer import Customer
from services.profiler.domain.membership import Thresholds
from services.profiler.learning.propensity import PropensityObserver
from services.profiler.segments.model import LinearSegments, Segment
from services.profiler.segments.observer import SegmentObserver
from tests.unit.profiler.conftest import Shop

_OFFSETS = itertools.count(1)


def errands(found: Sequence[Outgoing]) -> list[Outgoing]:
    return [outgoing for outgoing in found if outgoing.topic == "profiler.inbox.v1"]


def delivered(errand: Outgoing) -> Message:
    return message(errand.event, next(_OFFSETS), event_id=errand.event_id)


async def settle(shop: Shop, found: Sequence[Outgoing]) -> None:
    """Brings every errand to its partition, and what that leads to."""
    for _ in range(20):
        open_ = errands(found)
        if not open_:
            return
        found = [each for errand in open_ for each in await shop.take(delivered(errand))]
    raise AssertionError("errands without end")


async def happened(shop: Shop, *events: Event, minutes: float = 0) -> None:
    for number, event in enumerate(events):
        await settle(shop, await shop.take(shop.at(event, minutes=minutes + number)))


def identify(customer: str, anonymous: str) -> Identify:
    return Identify(customer_id=customer, anonymous_id=anonymous)


async def test_what_the_visitor_did_becomes_the_customers(shop: Shop) -> None:
    await happened(shop, viewed("c1", "headphones-0"))
    await happened(shop, anonymous("a1", "running-0"), anonymous("a1", "running-1"), minutes=300)
    await happened(shop, identify("c1", "a1"), minutes=303)
    profile = await shop.profile("c1")
    assert profile.event_count == 4
    assert {need.label for need in profile.needs} == {"Headphones", "Running shoes"}
    assert profile.session.session_count == 2  # logging in ends no visit
    assert profile.session.event_count == 3
    assert profile.recent_product_ids == ("running-1", "running-0", "headphones-0")
    assert profile.merged_ids == ("a1",)


def anonymous(visitor: str, product: str) -> Event:
    return viewed(visitor, product).model_copy(update={"customer_id": None, "anonymous_id": visitor})


async def test_the_old_id_answers_with_the_customers_profile(shop: Shop) -> None:
    await happened(shop, anonymous("a1", "running-0"), identify("c1", "a1"))
    assert (await shop.profile("a1")).customer_id == "c1"
    found = await shop.store.embeddings.get_many("default", "need", ["a1", "c1"])
    assert set(found.vectors) == {"c1"}


async def test_identifying_twice_counts_once(shop: Shop) -> None:
    await happened(shop, anonymous("a1", "running-0"), identify("c1", "a1"), identify("c1", "a1"))
    assert (await shop.profile("c1")).event_count == 3
    assert sum(shop.kept("c1").habits.exits.values()) == 0


async def test_an_errand_that_comes_twice_is_done_once(shop: Shop) -> None:
    await happened(shop, anonymous("a1", "running-0"))
    [link] = errands(await shop.take(shop.at(identify("c1", "a1"), minutes=1)))
    [handed] = errands(await shop.take(delivered(link)))
    again = delivered(handed)
    await shop.take(again)
    before = await shop.profile("c1")
    await shop.take(again)
    await settle(shop, await shop.take(delivered(link)))
    assert await shop.profile("c1") == before
    assert before.event_count == 2


async def test_what_comes_late_under_the_old_id_goes_on_to_the_customer(shop: Shop) -> None:
    await happened(shop, anonymous("a1", "running-0"), identify("c1", "a1"), anonymous("a1", "coffee-0"))
    profile = await shop.profile("c1")
    assert profile.event_count == 3
    assert {need.label for need in profile.needs} == {"Running shoes", "Coffee makers"}
    assert profile.session.session_count == 1
    assert (await shop.profile("a1")).customer_id == "c1"


async def test_a_link_before_the_first_event(shop: Shop) -> None:
    await happened(shop, identify("c1", "a1"), anonymous("a1", "running-0"))
    assert (await shop.profile("c1")).event_count == 2
    assert (await shop.profile("a1")).customer_id == "c1"


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_chains_end_at_the_last_one_in_every_order(shop: Shop, order: tuple[int, ...]) -> None:
    await happened(shop, anonymous("a1", "running-0"), anonymous("a2", "coffee-0"), viewed("c1", "headphones-0"))
    links = [identify("c1", "a1"), identify("c1", "a2"), identify("c2", "c1")]
    await happened(shop, *(links[number] for number in order), minutes=5)
    profile = await shop.profile("c2")
    assert profile.event_count == 6
    assert {need.label for need in profile.needs} == {"Running shoes", "Coffee makers", "Headphones"}
    for id_ in ("a1", "a2", "c1"):
        assert (await shop.profile(id_)).customer_id == "c2"


async def test_a_circle_of_links_loses_nothing(shop: Shop) -> None:
    await happened(shop, viewed("x", "running-0"), viewed("y", "coffee-0"))
    await happened(shop, identify("y", "x"), identify("x", "y"), minutes=5)
    counts = [shop.kept(id_).event_count for id_ in ("x", "y")]
    assert sum(counts) == 4
    await happened(shop, viewed("x", "running-1"), viewed("y", "coffee-1"), minutes=9)
    assert sum(shop.kept(id_).event_count for id_ in ("x", "y")) == 6


async def test_a_shared_device_does_not_make_one_person_of_two(shop: Shop) -> None:
    await happened(shop, anonymous("a1", "running-0"), identify("c1", "a1"))
    await happened(shop, identify("c2", "a1"), anonymous("a1", "coffee-0"), minutes=5)
    assert {need.label for need in (await shop.profile("c1")).needs} == {"Running shoes"}
    assert {need.label for need in (await shop.profile("c2")).needs} == {"Coffee makers"}


async def test_an_order_known_under_both_ids_counts_once(shop: Shop) -> None:
    await happened(shop, ordered("c1", "o1", "coffee-0", total="30.00"))
    await happened(shop, ordered("a1", "o1", "coffee-0", total="30.00"), ordered("a1", "o2", "coffee-1", total="5.00"))
    await happened(shop, identify("c1", "a1"), minutes=5)
    value = (await shop.profile("c1")).value
    assert (value.order_count, value.revenue) == (2, Decimal("35.00"))


@pytest.mark.parametrize("early", [True, False])
async def test_a_refund_under_the_other_id_finds_its_order(shop: Shop, early: bool) -> None:
    refund = OrderRefunded.model_validate({"anonymous_id": "a1", "order_id": "o1", "total": "10.00", "currency": "EUR"})
    steps: list[Event] = [ordered("c1", "o1", "coffee-0", total="30.00"), identify("c1", "a1")]
    steps.insert(0 if early else 2, refund)
    await happened(shop, *steps)
    assert (await shop.profile("c1")).value.revenue == Decimal("20.00")


async def test_revisions_never_go_back(shop: Shop) -> None:
    seen = []
    for minute, event in enumerate((anonymous("a1", "running-0"), identify("c1", "a1"), anonymous("a1", "running-1"))):
        await happened(shop, event, minutes=minute)
        seen.append(shop.kept("a1").revision)
    assert seen == sorted(set(seen))


async def test_words_are_embedded_anew_when_the_encoder_changed_before_the_merge(shop: Shop) -> None:
    await happened(shop, anonymous("a1", "running-0"))
    [link] = errands(await shop.take(shop.at(identify("c1", "a1"), minutes=1)))
    handed = errands(await shop.take(delivered(link)))
    shop.encoder.model = "fake@2"
    await happened(shop, searched("c1", "telescope"), minutes=2)
    await settle(shop, handed)
    profile = await shop.profile("c1")
    assert (profile.encoder, len(profile.needs)) == ("fake@2", 2)


_ACTS: list[Event] = [
    viewed("c1", "running-0"),
    searched("c1", "moka pot"),
    ordered("c1", "o1", "running-1", "coffee-0", total="99.95"),
    ordered("c1", "o2", "coffee-0", total="12.00"),
    OrderRefunded(customer_id="c1", order_id="o1"),
]
_Log = list[tuple[int, bool]]


@given(acts=st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=12), at=st.integers(0, 12))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_two_ids_make_the_same_sums_as_one(shop: Shop, acts: _Log, at: int) -> None:
    """`True`: done under the visitor's id. `at`: after how many of the acts the visitor is identified."""
    together, apart = await _lived(shop, acts, at, {}), await _lived(shop, acts, at, {"customer_id": None})
    assert apart.event_count == together.event_count
    assert (apart.value.order_count, apart.value.revenue) == (together.value.order_count, together.value.revenue)
    assert (set(apart.looked_at), set(apart.bought)) == (set(together.looked_at), set(together.bought))
    assert apart.affinities.keys() == together.affinities.keys()
    for dimension, tally in together.affinities.items():
        assert dict(apart.affinities[dimension].shares()) == pytest.approx(dict(tally.shares()))


async def _lived(shop: Shop, acts: _Log, at: int, otherwise: dict[str, None]) -> Customer:
    shop.state, shop.redis._values = MemoryKeyedState(), {}
    events = [
        _ACTS[act].model_copy(update={"anonymous_id": "a1", **otherwise} if visiting and otherwise else {})
        for act, visiting in acts
    ]
    events.insert(min(at, len(events)), identify("c1", "a1"))
    await happened(shop, *events)
    return shop.kept("c1")


async def test_the_visitors_segments_are_left_and_the_customer_enters_them(shop: Shop) -> None:
    """Somebody counts in a segment once: under the id that they have by now."""
    observer = SegmentObserver(shop.rules, Thresholds())
    kinds = tuple(Segment(f"type-{name}", name, "", 0.5, ()) for name in ("Looker", "Other"))
    biases = np.array([9.0, 0.0], dtype=np.float32)
    observer.use("type", LinearSegments("type", "v1", "", kinds, np.zeros((2, 9), dtype=np.float32), biases))
    shop.ports = replace(shop.ports, observers=(PropensityObserver(30 * 60_000), observer))
    await happened(shop, *(anonymous("a1", f"running-{number}") for number in range(4)))
    assert [each.name for each in (await shop.profile("a1")).segments] == ["Looker"]
    first = await shop.take(shop.at(identify("c1", "a1"), minutes=9))
    found = [*first]
    for errand in errands(first):
        found += await shop.take(delivered(errand))
        for onward in errands(found[len(first) :]):
            found += await shop.take(delivered(onward))
    moves = [each.event for each in found if isinstance(each.event, SegmentChanged)]
    assert [(each.customer_id, each.change, each.segment) for each in moves] == [
        ("a1", "left", "Looker"),
        ("c1", "entered", "Looker"),
    ]
    assert [each.reason for each in moves] == ["is c1 by now", "was known as a1 so far"]
    husk = [each.event for each in found if isinstance(each.event, ProfileUpdated) and each.event.customer_id == "a1"]
    assert (husk[-1].segments, husk[-1].propensity) == ((), None)
    assert (await shop.profile("a1")).customer_id == "c1"
    assert [each.name for each in (await shop.profile("a1")).segments] == ["Looker"]


async def test_an_order_after_signing_in_is_the_outcome_of_the_visit_before(shop: Shop) -> None:
    observer = PropensityObserver(30 * 60_000)
    shop.ports = replace(shop.ports, observers=(observer,))
    await happened(shop, anonymous("a1", "running-0"), identify("c1", "a1"), ordered("c1", "o1", "running-0"))
    outcomes = [ordered_since for _, ordered_since in observer.week.pending.due(1 << 60)]
    assert outcomes == [1.0]
