"""Behaviour is counted, once in effect, in whatever batches it comes."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.bus.messages import Message
from rapport.ops.errors import UnavailableError
from rapport.testing import message, ordered, searched, viewed
from rapport.testing.events import BEGIN
from services.recommender.domain.decay import CO_VISITS, TRENDING
from services.recommender.domain.looks import shopper_number
from services.recommender.handlers import behaviours_seen
from tests.unit.recommender.memory import MemoryCounts, MemoryOrders, MemoryServed
from tests.unit.recommender.shop import TENANT, day_of

_look = st.tuples(st.sampled_from("abc"), st.sampled_from("PQRS"), st.integers(0, 90), st.booleans())


def _messages(looks: list[tuple[str, str, int, bool]]) -> list[Message]:
    """Customer, product, minutes since the one before, whether bought."""
    at, made = BEGIN, []
    for offset, (customer, product, minutes, bought) in enumerate(looks):
        at += timedelta(minutes=minutes)
        event = ordered(customer, f"o{offset}", product, "T") if bought else viewed(customer, product)
        made.append(message(event, offset, at=at))
    return made


async def _counted(batches: list[list[Message]], counts: MemoryCounts | None = None) -> MemoryCounts:
    counts = counts or MemoryCounts()
    for batch in batches:
        if batch:
            await behaviours_seen(batch, counts=counts, served=MemoryServed(), orders=MemoryOrders(), day_of=day_of)
    return counts


def _rounded(counts: MemoryCounts) -> object:
    boards = {name: {id_: round(mark, 6) for id_, mark in marks.items()} for name, marks in counts.boards_of.items()}
    ties = {
        key: {other: (round(mark, 6), looked, bought) for other, (mark, looked, bought) in found.items()}
        for key, found in counts.ties.items()
    }
    return boards, ties, counts.shoppers, counts.trails, counts.clock_ms


@settings(max_examples=60)
@given(st.lists(_look, max_size=25), st.lists(st.integers(0, 25), max_size=3), st.integers(0, 25))
async def test_counts_depend_on_the_events_alone_not_on_batches_or_replays(
    looks: list[tuple[str, str, int, bool]], cuts: list[int], crash: int
) -> None:
    messages = _messages(looks)
    whole = await _counted([messages])
    edges = [0, *sorted(cuts), len(messages)]
    pieces = [messages[begin:end] for begin, end in itertools.pairwise(edges)]
    in_pieces = await _counted(pieces)
    # A crash loses the commit, not the counts: everything from some offset on comes again.
    replayed = await _counted([*pieces, messages[crash:], messages])
    assert _rounded(in_pieces) == _rounded(whole)
    assert _rounded(replayed) == _rounded(whole)


async def test_a_crash_after_counting_counts_nothing_twice() -> None:
    counts, messages = MemoryCounts(), _messages([("a", "P", 0, False), ("a", "Q", 1, False)])
    counts.crash_after_add = True
    with pytest.raises(UnavailableError):
        await _counted([messages], counts)
    assert counts.reached == {}
    counts.crash_after_add = False
    await _counted([messages], counts)
    assert counts.shoppers[TENANT, "2026-03-05"] == {"P": 1, "Q": 1}
    assert counts.reached == {("clickstream.v1", 0): 1}


async def test_going_back_and_forth_in_one_visit_is_one_pair() -> None:
    looks = [("a", product, 1, False) for product in "PQPQPQ"]
    counts = await _counted([_messages(looks)])
    mark, looked, bought = counts.ties[TENANT, "P"]["Q"]
    assert CO_VISITS.worth(mark, counts.clock_ms) == pytest.approx(1, abs=0.01)
    assert looked == [shopper_number("a")]
    assert bought == []
    assert counts.ties[TENANT, "Q"]["P"][0] == mark


async def test_products_of_two_visits_are_no_pair() -> None:
    counts = await _counted([_messages([("a", "P", 0, False), ("a", "Q", 31, False)])])
    assert counts.ties == {}


async def test_two_customers_side_by_side_make_no_pair() -> None:
    counts = await _counted([_messages([("a", "P", 0, False), ("b", "Q", 1, False)])])
    assert counts.ties == {}


async def test_a_customer_counts_once_a_day_for_a_product() -> None:
    looks = [("a", "P", 0, False), ("a", "P", 5, False), ("b", "P", 5, False), ("a", "P", 24 * 60, False)]
    counts = await _counted([_messages(looks)])
    assert counts.shoppers == {(TENANT, "2026-03-05"): {"P": 2}, (TENANT, "2026-03-06"): {"P": 1}}


async def test_trending_fades_and_purchases_weigh_more() -> None:
    counts = await _counted([_messages([("a", "P", 0, False), ("b", "Q", 0, True)])])
    board, now = counts.boards_of[TENANT, "trending"], counts.clock_ms
    assert TRENDING.worth(board["P"], now) == pytest.approx(1)
    assert TRENDING.worth(board["Q"], now) == pytest.approx(4)
    assert TRENDING.worth(board["Q"], now + 6 * 3_600_000) == pytest.approx(2)


async def test_a_clock_from_the_future_leads_no_board() -> None:
    early = message(viewed("a", "P", occurred_at="2126-01-01T00:00:00Z"), 0)
    early = Message(early.event, early.envelope, early.key, early.position, int(BEGIN.timestamp() * 1000))
    counts = await _counted([[early]])
    assert counts.clock_ms == int(BEGIN.timestamp() * 1000) + 300_000


async def test_a_large_order_costs_no_square() -> None:
    counts = await _counted([[message(ordered("a", "o", *(f"p{number}" for number in range(500))), 0)]])
    assert sum(map(len, counts.ties.values())) == 12 * 11
    assert len(counts.boards_of[TENANT, "popular"]) == 12


async def test_other_behaviour_and_other_tenants_are_kept_apart() -> None:
    there = message(viewed("a", "P"), 1, tenant="there")
    counts = await _counted([[message(searched("a", "lamp"), 0), there, message(viewed("a", "Q"), 2)]])
    assert set(counts.boards_of["there", "trending"]) == {"P"}
    assert set(counts.boards_of[TENANT, "trending"]) == {"Q"}
    assert counts.ties == {}
    assert counts.reached == {("clickstream.v1", 0): 2}


async def test_who_loses_the_race_counts_what_is_left() -> None:
    messages = _messages([("a", "P", 0, False), ("a", "Q", 1, False), ("a", "R", 1, False)])

    class Raced(MemoryCounts):
        async def load(self, tenant, at, customers):  # type: ignore[no-untyped-def]
            found = await super().load(tenant, at, customers)
            if not self.counted:
                await behaviours_seen(
                    messages[:2], counts=rival, served=MemoryServed(), orders=MemoryOrders(), day_of=day_of
                )
            return found

    counts, rival = Raced(), MemoryCounts()
    rival.__dict__ = counts.__dict__
    await _counted([messages], counts)
    assert _rounded(counts) == _rounded(await _counted([messages]))
