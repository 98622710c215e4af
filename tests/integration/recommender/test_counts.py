"""The counts in a real Redis, single and cluster, against their plain meaning; and what a request costs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rapport.bus.messages import Message, Position
from rapport.ops.errors import UnavailableError
from rapport.ops.settings import RedisSettings
from rapport.testing import message, ordered, random_name, viewed
from rapport.testing.events import BEGIN
from rapport.vectors.connection import RedisConnection
from rapport.vectors.packing import pack
from services.recommender.adapters.redis_arrivals import RedisArrivals
from services.recommender.adapters.redis_counts import RedisCounts
from services.recommender.adapters.redis_memory import RedisMemory
from services.recommender.adapters.redis_merges import RedisMerges
from services.recommender.adapters.redis_orders import RedisOrders
from services.recommender.adapters.redis_pictures import RedisPictures
from services.recommender.adapters.served_log import RedisServedLog
from services.recommender.domain.catalogue import Catalogues
from services.recommender.domain.counting import count
from services.recommender.domain.looks import Look, shopper_number
from services.recommender.domain.products import product_of
from services.recommender.domain.served import Served
from services.recommender.domain.trail import Trail
from services.recommender.handlers import behaviours_seen
from services.recommender.ports import Known
from tests.integration.vectors.conftest import OwnRedis, cluster, own_redis  # noqa: F401 - fixtures
from tests.unit.recommender.goods import product
from tests.unit.recommender.memory import MemoryCounts, MemoryOrders, MemoryServed
from tests.unit.recommender.shop import day_of

PLACE = Position("clickstream.v1", 0, 0)
TODAY = "2026-03-05"


@pytest.fixture(params=["single", "cluster"])
async def connection(request: pytest.FixtureRequest) -> AsyncIterator[RedisConnection]:
    if request.param == "single":
        where: RedisSettings = request.getfixturevalue("own_redis").settings()
    else:
        where = request.getfixturevalue("cluster")
    opened = RedisConnection(where)
    await opened.start()
    yield opened
    await opened.stop()


def messages(looks: list[tuple[str, str, int, bool]], tenant: str) -> list[Message]:
    """Customer, product, minutes since the one before, whether bought."""
    at, made = BEGIN, []
    for offset, (customer, product_id, minutes, bought) in enumerate(looks):
        at += timedelta(minutes=minutes)
        event = ordered(customer, f"o{offset}", product_id, "T", "U") if bought else viewed(customer, product_id)
        made.append(message(event, offset, at=at, tenant=tenant))
    return made


async def all_known(memory: Any, tenant: str) -> Any:
    """Everything that the counts say, rounded as far as sums may differ by their order."""
    known, boards = await memory.recall(tenant, dict.fromkeys("abcd", Known()), None)
    ties = {}
    for seed in "PQRSTU":
        found, _ = await memory.tied(tenant, seed)
        ties[seed] = {tie.product_id: (round(tie.mark, 6), len(tie.looked), sorted(tie.bought)) for tie in found}
    rounded = [
        {product_id: round(mark, 6) for product_id, mark in board} for board in (boards.trending, boards.popular)
    ]
    recent = {customer: list(known[customer].recent) for customer in known}
    return rounded, dict(boards.shoppers_today), boards.clock_ms, recent, ties


_look = st.tuples(st.sampled_from("abcd"), st.sampled_from("PQRS"), st.integers(0, 40), st.booleans())


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_look, min_size=1, max_size=30), st.integers(0, 30), st.integers(0, 30))
async def test_redis_counts_what_the_plain_meaning_counts_replays_or_not(
    connection: RedisConnection, looks: list[tuple[str, str, int, bool]], cut: int, crash: int
) -> None:
    tenant = random_name("shop")
    seen = messages(looks, tenant)
    plain, real = MemoryCounts(), RedisCounts(connection, tenant, "t.")
    await behaviours_seen(seen, counts=plain, served=MemoryServed(), orders=MemoryOrders(), day_of=day_of)
    # In two batches, with a crash that loses the commit and has a new process read from `crash` on, and from the start.
    for batch in (seen[:cut], seen[cut:]):
        if batch:
            await behaviours_seen(batch, counts=real, served=MemoryServed(), orders=MemoryOrders(), day_of=day_of)
    for batch in (seen[crash:], seen):
        if batch:
            await behaviours_seen(
                batch,
                counts=RedisCounts(connection, tenant, "t."),
                served=MemoryServed(),
                orders=MemoryOrders(),
                day_of=day_of,
            )
    memory = RedisMemory(connection, lambda: TODAY)
    assert await all_known(memory, tenant) == await all_known(plain, tenant)


async def test_two_owners_of_a_partition_cannot_both_count(connection: RedisConnection) -> None:
    tenant = random_name("shop")
    one, other = (RedisCounts(connection, tenant, "t.") for _ in range(2))
    counted = count([Look("a", ("P",), "looked", 1_000_000)], {}, {}, lambda _: TODAY)
    at = Position("clickstream.v1", 0, 7)
    after, _, _ = await one.load(tenant, at, ["a"])
    assert after == -1
    assert await other.add(tenant, counted, -1, at)
    assert not await one.add(tenant, counted, after, at)
    after, trails, _ = await one.load(tenant, at, ["a"])
    assert after == 7
    assert trails["a"].recent == ("P",)
    _, boards = await RedisMemory(connection, lambda: TODAY).recall(tenant, {}, None)
    assert boards.shoppers_today == {"P": 1}


async def test_reading_begins_behind_what_all_tenants_have(connection: RedisConnection) -> None:
    counts = RedisCounts(connection, random_name("shop"), "t.")
    assert await counts.reached("clickstream.v1", 0) == 0
    await counts.reach(Position("clickstream.v1", 0, 41))
    assert await counts.reached("clickstream.v1", 0) == 42
    assert await counts.reached("clickstream.v1", 1) == 0


async def test_a_redis_that_has_gone_back_is_noticed(connection: RedisConnection) -> None:
    tenant = random_name("shop")
    counts = RedisCounts(connection, tenant, "t.")
    await behaviours_seen(
        messages([("a", "P", 0, False)], tenant),
        counts=counts,
        served=MemoryServed(),
        orders=MemoryOrders(),
        day_of=day_of,
    )
    assert await counts.intact()
    async for page in connection.scan(tenant):
        await connection.delete(page)
    assert not await counts.intact()
    with pytest.raises(UnavailableError, match="counted up to 0, Redis now says -1"):
        await counts.load(tenant, Position("clickstream.v1", 0, 1), ["a"])
    # Taken over again, the partition is read from the start.
    assert await counts.reached("clickstream.v1", 0) == 0
    assert (await counts.load(tenant, PLACE, ["a"]))[0] == -1


async def test_what_was_counted_under_another_id_is_recalled_with_the_customer_s(connection: RedisConnection) -> None:
    tenant = random_name("shop")
    counts, memory = RedisCounts(connection, tenant, "t."), RedisMemory(connection, lambda: TODAY)
    looks = [Look("ada", ("P",), "looked", 1_000), Look("visitor", ("Q",), "looked", 2_000)]
    looks += [Look("ada", ("R",), "shown", 2_000), Look("visitor", ("R",), "shown", 3_000)]
    looks += [Look("visitor", ("S",), "returned", 3_000)]
    assert await counts.add(tenant, count(looks, {}, {}, day_of), -1, PLACE)
    await RedisMerges(connection).note(tenant, {"ada": ["visitor", "nobody"]})
    # Beside another customer, who has nothing to do with them.
    known, _ = await memory.recall(tenant, {"eve": Known(["P"]), "ada": Known()}, None)
    assert list(known["ada"].recent) == ["P", "Q"]
    assert (known["ada"].reactions.unclicked("R", 4_000), known["ada"].reactions.rejected("S", 4_000)) == (2, True)
    assert (list(known["eve"].recent), known["eve"].reactions.products) == (["P"], {})
    await RedisMerges(connection).forget(tenant, ["ada"])
    known, _ = await memory.recall(tenant, {"ada": Known()}, None)
    assert list(known["ada"].recent) == ["P"]


async def test_the_products_of_an_order_are_remembered(connection: RedisConnection) -> None:
    tenant, orders = random_name("shop"), RedisOrders(connection)
    await orders.keep(tenant, {"o-1": ["P", "Q"], "o-2": ["R"]})
    assert await orders.find(tenant, ["o-1", "o-3"]) == {"o-1": ["P", "Q"]}


async def test_what_a_customer_made_of_an_answer_and_what_all_did_come_back(connection: RedisConnection) -> None:
    tenant, place = random_name("shop"), PLACE
    counts = RedisCounts(connection, tenant, "t.")
    looks = [Look("ada", ("P", "Q"), "shown", 1_000), Look("ada", ("P",), "clicked", 2_000)]
    looks += [Look("ada", ("R",), "returned", 3_000), Look("bob", ("P", "Q"), "shown", 3_000)]
    assert await counts.add(tenant, count(looks, {}, {}, day_of), -1, place)
    known, _ = await RedisMemory(connection, lambda: TODAY).recall(tenant, {"ada": Known(), "eve": Known()}, None)
    reactions = known["ada"].reactions
    assert [reactions.unclicked(product_id, 5_000) for product_id in "PQR"] == [0, 1, 0]
    assert reactions.rejected("R", 5_000)
    assert not known["eve"].reactions.products
    statistics = await RedisPictures(connection, Catalogues()).statistics(tenant)
    assert statistics.examined == pytest.approx({"P": 2.0, "Q": 1.0}, abs=1e-3)
    assert statistics.clicked == pytest.approx({"P": 1.0}, abs=1e-3)
    assert statistics.refused == pytest.approx({"R": 4.0}, abs=1e-3)
    assert statistics.click_rate("P") > statistics.mean_rate > statistics.click_rate("Q")


async def test_answers_are_kept_in_the_background_and_found_by_their_ids(connection: RedisConnection) -> None:
    tenant, log = random_name("shop"), RedisServedLog(connection, 60)
    made = Served(
        "r-1", "ada", 1, "pull", "popular", "", "", "", ("P",), (0.5,), (1.0,), {}, 1, pack(np.ones((1, 2)), np.float32)
    )
    log.note(tenant, made)
    assert await log.find(tenant, ["r-1", "r-2"]) == {"r-1": made}
    await log.start()
    async with asyncio.timeout(10):
        while log.health().detail != "0 wait":  # noqa: ASYNC110 - what is written is seen nowhere else
            await asyncio.sleep(0.02)
    await log.stop()
    assert await RedisServedLog(connection, 60).find(tenant, ["r-1"]) == {"r-1": made}


async def test_the_graph_is_drawn_from_the_ties_in_redis(connection: RedisConnection) -> None:
    tenant, catalogues = random_name("shop"), Catalogues()
    for product_id in ("P", "Q", "R"):
        catalogues.put(tenant, product_of(product(product_id, product_id, f"shelf of {product_id}")))
    counts = RedisCounts(connection, tenant, "t.")
    looks = [Look(f"c{number}", ("P", "Q"), "bought", 1_000_000 + number) for number in range(3)]
    assert await counts.add(tenant, count(looks, {}, {}, day_of), -1, PLACE)
    graph = await RedisPictures(connection, catalogues).graph(tenant)
    assert list(graph.related({"P": 1.0}, 5).product_ids) == ["Q"]


async def test_a_product_keeps_its_strongest_ties(connection: RedisConnection) -> None:
    tenant = random_name("shop")
    counts = RedisCounts(connection, tenant, "t.")
    looks = [Look(f"c{number}", ("P", f"Q{number:03}"), "bought", 1_000_000 + number) for number in range(100)]
    looks += [Look("again", ("P", "Q005"), "bought", 1_000_000)]
    assert await counts.add(tenant, count(looks, {}, {}, day_of), -1, PLACE)
    ties, _ = await RedisMemory(connection, lambda: TODAY).tied(tenant, "P")
    assert len(ties) == 64
    assert ties[0].product_id == "Q005"
    assert ties[1].product_id == "Q099"


async def test_of_each_tie_three_shoppers_are_remembered_over_batches(connection: RedisConnection) -> None:
    tenant = random_name("shop")
    counts, memory = RedisCounts(connection, tenant, "t."), RedisMemory(connection, lambda: TODAY)
    seen = messages([(who, what, 0, False) for who in "aabcdd" for what in "PQ"], tenant)
    for known, at in ((1, 0), (1, 2), (2, 4), (3, 6), (3, 8)):
        await behaviours_seen(
            seen[at : at + 2], counts=counts, served=MemoryServed(), orders=MemoryOrders(), day_of=day_of
        )
        (tie,), _ = await memory.tied(tenant, "P")
        assert len(set(tie.looked)) == len(tie.looked) == known
    assert set(tie.looked) == {shopper_number(who) for who in "abc"}


async def test_new_arrivals_are_those_that_came_after_the_first_day(connection: RedisConnection) -> None:
    tenant, now = random_name("shop"), BEGIN
    arrivals = RedisArrivals(connection, lambda: now)
    opened = int(BEGIN.timestamp() * 1000)
    assert await arrivals.note(tenant, {"old": opened - 5, "first": opened}) == {"old": None, "first": None}
    later = opened + 86_400_000
    assert await arrivals.note(tenant, {"old": later, "new": later}) == {"old": None, "new": later}
    await arrivals.forget(tenant, ["old"])
    assert await arrivals.note(tenant, {"old": later}) == {"old": later}


async def test_a_trail_survives_its_encoding() -> None:
    trail = Trail((("P", 5), ("鞋", 7)), TODAY, ("P",))
    assert Trail.decode(trail.encode()) == trail
    assert Trail.decode(None) == Trail()
