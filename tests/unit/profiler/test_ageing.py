"""Who stays away is placed anew by time alone: once, with hysteresis, and never ahead of the shop's own time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from rapport.bus.messages import Outgoing
from rapport.events.profiler_inbox import TimePassed
from rapport.events.profiles import ProfileUpdated, SegmentChanged
from rapport.testing import ordered, viewed
from rapport.testing.events import BEGIN
from services.profiler.adapters.states import pages, state_key
from services.profiler.ageing import Ageing, Clock, overdue
from services.profiler.domain.customer import Customer
from services.profiler.domain.membership import Thresholds
from services.profiler.domain.rules import Rules
from services.profiler.learning.outlook import OutlookObserver
from services.profiler.ports import Key
from services.profiler.segments.features import TYPE_FEATURES
from services.profiler.segments.model import LinearSegments, Segment
from services.profiler.segments.observer import SegmentObserver
from tests.unit.profiler.conftest import Shop
from tests.unit.profiler.test_identity import identify, settle
from tests.unit.profiler.test_lifetime import CDNOW


def day(number: float) -> int:
    return int((BEGIN + timedelta(days=number)).timestamp() * 1000)


@pytest.fixture
def types() -> SegmentObserver:
    """Loyal until the last order was some 35 days ago, Lapsing from then on."""
    weights = np.zeros((2, len(TYPE_FEATURES)), dtype=np.float32)
    weights[1, TYPE_FEATURES.index("days_since_order")] = 4.0
    kinds = tuple(Segment(f"type-{name.lower()}", name, "", 0.5, ()) for name in ("Loyal", "Lapsing"))
    observer = SegmentObserver(Rules(), Thresholds())
    observer.use("type", LinearSegments("type", "v1", "", kinds, weights, np.array([14.3, 0], dtype=np.float32)))
    return observer


async def passed(shop: Shop, at: float) -> Sequence[Outgoing]:
    moment = BEGIN + timedelta(days=at)
    return await shop.take(shop.at(TimePassed(customer_id="c1", occurred_at=moment), days=at))


def due(shop: Shop, at: float) -> list[str]:
    return [key[1] for key in overdue({("default", "c1"): shop.kept()}, shop.ports.observers, day(at))]


async def test_who_stays_away_lapses_without_an_event(shop: Shop, types: SegmentObserver) -> None:
    shop.ports = replace(shop.ports, observers=(types,))
    for number in range(4):
        before = await shop.happen(ordered("c1", f"o{number}", "running-1"), days=number)
    assert [each.name for each in before.segments] == ["Loyal"]
    assert (due(shop, 10), due(shop, 90)) == ([], ["c1"])
    out = await passed(shop, 90)
    moves = [each.event for each in out if isinstance(each.event, SegmentChanged)]
    assert [(each.change, each.segment) for each in moves] == [("left", "Loyal"), ("entered", "Lapsing")]
    assert "the last order 87 days ago" in moves[1].reason
    told = await shop.profile()
    assert ([each.name for each in told.segments], told.revision) == (["Lapsing"], before.revision + 1)
    assert (told.event_count, told.last_seen_at) == (before.event_count, before.last_seen_at)
    assert due(shop, 91) == []


async def test_an_event_that_came_first_leaves_nothing_to_tell(shop: Shop, types: SegmentObserver) -> None:
    shop.ports = replace(shop.ports, observers=(types,))
    await shop.happen(*(ordered("c1", f"o{number}", "running-1") for number in range(4)))
    back = await shop.happen(viewed("c1", "running-0"), days=91)
    assert not [each for each in await passed(shop, 90) if isinstance(each.event, ProfileUpdated)]
    assert (await shop.profile()).revision == back.revision


async def test_the_churn_risk_that_is_told_rises_with_silence(shop: Shop) -> None:
    observer = OutlookObserver()
    observer.use(CDNOW)
    shop.ports = replace(shop.ports, observers=(observer,))
    for number in range(3):
        before = await shop.happen(ordered("c1", f"o{number}", "running-1", total="60.00"), days=7 * number)
    assert (due(shop, 14.5), due(shop, 150)) == ([], ["c1"])
    await passed(shop, 150)
    told = await shop.profile()
    assert before.outlook is not None
    assert told.outlook is not None
    assert told.outlook.churn_risk > before.outlook.churn_risk + 0.1
    assert due(shop, 151) == []


async def test_a_first_model_reaches_those_who_stay_away(shop: Shop) -> None:
    segments, outlook = SegmentObserver(shop.rules, Thresholds()), OutlookObserver()
    shop.ports = replace(shop.ports, observers=(outlook, segments))
    before = await shop.happen(*(ordered("c1", f"o{number}", "running-1") for number in range(4)))
    assert (before.segments, before.outlook, due(shop, 1)) == ((), None, [])
    outlook.use(CDNOW)
    assert due(shop, 1) == ["c1"]
    await passed(shop, 1)
    assert (await shop.profile()).outlook is not None
    assert due(shop, 1.1) == []
    need = shop.kept().spectrum.needs[0].vector
    kinds = tuple(Segment(f"taste-{name}", name, "", 0.5, ()) for name in ("runners", "others"))
    weights = np.stack([4 * need, -4 * need]).astype(np.float32)
    encoder = shop.kept().spectrum.encoder
    segments.use("taste", LinearSegments("taste", "v1", encoder, kinds, weights, np.zeros(2, dtype=np.float32)))
    assert due(shop, 1.2) == ["c1"]
    await passed(shop, 1.2)
    assert [each.name for each in (await shop.profile()).segments] == ["runners"]
    assert due(shop, 1.3) == []


async def test_an_id_that_is_somebody_else_by_now_is_not_looked_at(shop: Shop, types: SegmentObserver) -> None:
    shop.ports = replace(shop.ports, observers=(types,))
    await shop.happen(*(ordered("c1", f"o{number}", "running-1") for number in range(4)))
    out = await shop.take(shop.at(identify("known", "c1"), days=1))
    await settle(shop, out)
    assert shop.kept().merged_into == "known"
    assert due(shop, 90) == []
    assert [key[1] for key in overdue({("default", "known"): shop.kept("known")}, (types,), day(90))] == ["known"]
    assert not await passed(shop, 90)


class Told:
    """Stands for `EventProducer`."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []

    async def send_many(self, outgoing: Sequence[Outgoing]) -> None:
        self.sent += outgoing


async def test_a_look_tells_of_so_many_and_the_next_one_of_the_others(shop: Shop, types: SegmentObserver) -> None:
    clock, told = Clock(), Told()
    shop.ports = replace(shop.ports, observers=(types, clock))
    for customer in ("a", "b", "c"):
        await shop.happen(*(ordered(customer, f"{customer}{number}", "running-1") for number in range(4)))

    def everybody() -> Iterator[dict[Key, Customer]]:
        keys = [state_key(("default", customer)) for customer in ("a", "b", "c")]
        return pages([(key, shop.state.get(key) or b"") for key in keys], shop.codec)

    look = Ageing(everybody, clock, (types,), told, every_s=60, at_most=2).look  # type: ignore[arg-type]
    assert await look() == 0
    await shop.happen(viewed("late", "running-0"), days=90)
    assert await look() == 2
    for errand in told.sent:
        assert errand.event is not None
        await shop.take(shop.at(errand.event, days=90))
    assert await look() == 1
    assert {each.key for each in told.sent} == {"a", "b", "c"}
    assert {each.topic for each in told.sent} == {"profiler.inbox.v1"}
