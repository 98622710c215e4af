"""What goes out, when, and that a broker's absence loses nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import dropwhile, islice, takewhile
from pathlib import Path

import pytest

from rapport.bus.messages import Outgoing
from rapport.events.orders import OrderUpdated
from rapport.ops.errors import UnavailableError
from services.demo import live
from services.demo.adapters.article_files import load_articles
from services.demo.adapters.json_lines import export
from services.demo.domain.plan import Plan
from services.demo.domain.simulation import simulate
from services.demo.domain.world import World
from services.demo.handlers import publish_at_once, publish_backlog, publish_goods, publish_in_time
from services.demo.settings import DemoSection


@dataclass
class Broker:
    """Keeps what it is sent; refuses as long as `refuse` says."""

    sent: list[Outgoing] = field(default_factory=list)
    refuse: int = 0

    async def send_many(self, outgoings: Sequence[Outgoing]) -> None:
        if self.refuse:
            self.refuse -= 1
            raise UnavailableError("no broker")
        self.sent.extend(outgoings)


async def test_goods_published_twice_have_the_same_ids(world: World) -> None:
    broker = Broker()
    for _ in range(2):
        await publish_goods(broker, world.catalog, load_articles(), "default")
    half = len(broker.sent) // 2
    assert half == len(world.catalog.products) + 60
    assert broker.sent[:half] == broker.sent[half:]
    assert len({outgoing.event_id for outgoing in broker.sent}) == half


async def test_a_shop_opens_with_orders_under_way(world: World, plan: Plan) -> None:
    broker, until = Broker(), plan.start + timedelta(hours=1)
    events = await publish_backlog(broker, simulate(world, plan), until, "default")
    states = [outgoing.event for outgoing in broker.sent]
    assert len(states) > 50
    assert len({outgoing.key for outgoing in broker.sent}) == len(states), "the newest state of each order alone"
    assert {state.status for state in states if isinstance(state, OrderUpdated)} >= {"paid", "shipped", "delivered"}
    first = next(events)
    assert first.time >= until
    everything = [timed for timed in islice(simulate(world, plan), 30_000) if timed.time >= until]
    assert [first, *islice(events, 100)] == everything[:101]


def test_a_shop_is_busy_from_its_first_minute(world: World) -> None:
    now = datetime(2026, 6, 1, 3, tzinfo=UTC)
    plan = live.plan_at(DemoSection(rate=20), now)
    events = dropwhile(lambda timed: timed.time < now, simulate(world, plan))
    first = sum(1 for _ in takewhile(lambda timed: timed.time < now + timedelta(minutes=1), events))
    assert first == pytest.approx(20 * 60, rel=0.25)


async def test_live_events_go_out_at_their_time(world: World, plan: Plan) -> None:
    broker, began = Broker(), datetime.now(UTC)
    quick = replace(plan, start=began, visits_per_s=200)
    await publish_in_time(broker, islice(simulate(world, quick), 40), "shop-a", lambda: datetime.now(UTC))
    last = broker.sent[-1].event
    assert last is not None
    assert last.occurred_at is not None
    assert began < last.occurred_at <= datetime.now(UTC)
    assert {outgoing.tenant for outgoing in broker.sent} == {"shop-a"}
    assert len(broker.sent) == 40


async def test_at_once_means_all_of_them(world: World, plan: Plan) -> None:
    broker = Broker()
    await publish_at_once(broker, islice(simulate(world, plan), 1234), "default")
    assert len({outgoing.event_id for outgoing in broker.sent}) == 1234


async def test_shoppers_wait_while_kafka_is_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_RETRY_AFTER_S", 0.001)
    broker = Broker(refuse=3)
    shop = live.Shop(world, load_articles(), broker, DemoSection(rate=0), "default")
    await shop.start()
    assert len(broker.sent) == len(world.catalog.products) + 60
    assert shop.health().live
    await shop.stop()


def test_an_export_has_the_truth_apart(world: World, plan: Plan, tmp_path: Path) -> None:
    counts = export(world, load_articles(), plan, plan.start + timedelta(minutes=10), tmp_path)
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    assert len(lines) == counts["events.jsonl"] > 500
    truth = json.loads((tmp_path / "ground_truth.json").read_text())
    sessions = {json.loads(line)["data"].get("session_id") for line in lines} - {None}
    assert sessions <= truth["visits"].keys()
    assert "price_sensitivity" not in (tmp_path / "events.jsonl").read_text()
