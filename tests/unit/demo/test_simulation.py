"""The simulated shop: repeatable, plausible, and silent about what it hides."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice

import pytest

from rapport.events.chat import ChatMessage
from rapport.events.orders import OrderUpdated
from rapport.events.topics import EVENTS, TOPICS
from services.demo.domain.plan import EVENTS_PER_VISIT, Plan
from services.demo.domain.simulation import simulate
from services.demo.domain.truth import GroundTruth
from services.demo.domain.world import TimedEvent, World

from .conftest import START

# What must come before, in the same visit.
BEFORE = {
    "product_clicked": "product_list_viewed",
    "product_viewed": "product_clicked",
    "product_added": "product_viewed",
    "cart_viewed": "product_added",
    "checkout_started": "cart_viewed",
    "order_completed": "checkout_started",
}
# Every state an order may go to from each.
NEXT = {
    None: {"placed"},
    "placed": {"paid"},
    "paid": {"packed", "cancelled"},
    "packed": {"shipped"},
    "shipped": {"delivered"},
    "delivered": {"return_requested"},
    "return_requested": {"returned"},
    "returned": {"refunded"},
}


@dataclass(frozen=True)
class Run:
    events: list[TimedEvent]
    truth: GroundTruth

    def named(self, name: str) -> Iterator[TimedEvent]:
        return (timed for timed in self.events if timed.event.event_name == name)


@pytest.fixture(scope="module")
def run(world: World) -> Run:
    truth = GroundTruth()
    # Quick parcels, so that whole lives of orders fit into an hour or two.
    plan = Plan.at_rate(5, START, seed=7, shoppers=2000, speed=600)
    return Run(list(islice(simulate(world, plan, truth), 25_000)), truth)


def _some(world: World, plan: Plan) -> list[tuple[str, str, bytes]]:
    return [(timed.event_id, timed.topic, timed.event.to_json()) for timed in islice(simulate(world, plan), 600)]


def test_a_seed_tells_the_same_story_again(world: World, plan: Plan) -> None:
    assert _some(world, plan) == _some(world, plan)
    assert _some(world, plan) != _some(world, replace(plan, seed=8))


def test_another_run_has_the_same_shoppers_and_other_ids(world: World, plan: Plan) -> None:
    first, second = (GroundTruth(), GroundTruth())
    ids = []
    for run_name, truth in (("1", first), ("2", second)):
        events = islice(simulate(world, replace(plan, run=run_name), truth), 2000)
        ids.append({timed.event_id for timed in events})
    assert not ids[0] & ids[1]
    both = first.shoppers.keys() & second.shoppers.keys()
    assert both
    assert all(first.shoppers[name] == second.shoppers[name] for name in both)


def test_events_come_in_order_of_time_with_unique_ids_and_registered_keys(run: Run) -> None:
    times = [timed.time for timed in run.events]
    assert times == sorted(times)
    assert len({timed.event_id for timed in run.events}) == len(run.events)
    for timed in run.events:
        assert type(timed.event) in TOPICS[timed.topic].events
        assert timed.event.occurred_at == timed.time
        key = TOPICS[timed.topic].key
        assert timed.key == (timed.event.subject if key == "customer" else getattr(timed.event, key))  # type: ignore[attr-defined]


def test_every_event_survives_the_wire(run: Run) -> None:
    for timed in run.events[:5000]:
        again = EVENTS[timed.event.ce_type()].model_validate_json(timed.event.to_json())
        assert again == timed.event
        assert not again.model_extra, "a field that the contract does not know"


def test_everything_a_shop_sees_happens(run: Run) -> None:
    seen = {timed.event.event_name for timed in run.events}
    assert seen >= BEFORE.keys() | {
        "page_viewed", "products_searched", "product_list_viewed", "product_removed", "product_wishlisted",
        "coupon_applied", "identify", "product_reviewed", "order_refunded", "order_updated", "chat_message",
    }  # fmt: skip


def test_the_funnel_is_walked_in_order_and_narrows(run: Run) -> None:
    happened: dict[str, set[str]] = defaultdict(set)
    for timed in run.events:
        session, name = getattr(timed.event, "session_id", None), timed.event.event_name
        if session and name in BEFORE:
            assert BEFORE[name] in happened[session], (session, name)
        if session:
            happened[session].add(name)
    steps = ["product_viewed", "product_added", "checkout_started", "order_completed"]
    visits = [sum(step in names for names in happened.values()) for step in steps]
    assert visits == sorted(visits, reverse=True)
    assert 0.01 < visits[-1] / len(happened) < 0.2


def test_nobody_orders_unknown_or_what_is_sold_out(world: World, run: Run) -> None:
    sold_out = {product.id for product in world.catalog.products if product.stock == 0}
    for timed in run.named("order_completed"):
        assert timed.event.customer_id  # type: ignore[attr-defined]
        assert not sold_out & {line.product_id for line in timed.event.products}  # type: ignore[attr-defined]


def test_an_anonymous_visitor_becomes_a_customer(run: Run) -> None:
    anonymous = {timed.key for timed in run.events if timed.topic == "clickstream.v1" and timed.key.startswith("a-")}
    merged = {timed.event.anonymous_id for timed in run.named("identify")}  # type: ignore[attr-defined]
    assert len(anonymous & merged) > 50


def test_orders_go_from_state_to_state(run: Run) -> None:
    states: dict[str, str | None] = defaultdict(lambda: None)
    for timed in run.named("order_updated"):
        order = timed.event
        assert isinstance(order, OrderUpdated)
        assert order.status in NEXT[states[order.order_id]]
        states[order.order_id] = order.status
    assert set(states.values()) >= {"delivered", "cancelled", "refunded"}


def test_stars_follow_the_hidden_satisfaction(run: Run) -> None:
    # A review's id names its order: rev-<order>-<number>.
    for timed in run.named("product_reviewed"):
        review = timed.event
        order = review.review_id.removeprefix("rev-").rsplit("-", 1)[0]  # type: ignore[attr-defined]
        pleased = run.truth.satisfaction[order][review.product_id]  # type: ignore[attr-defined]
        assert abs(review.rating - (1 + 4 * pleased)) <= 1  # type: ignore[attr-defined]


def test_a_question_about_an_order_names_ones_own(run: Run) -> None:
    owner = {timed.key: timed.event.customer_id for timed in run.events if isinstance(timed.event, OrderUpdated)}
    said = [timed.event for timed in run.events if isinstance(timed.event, ChatMessage)]
    asked = [message for message in said if run.truth.chats[message.message_id] == "order_status"]
    assert asked
    for message in asked:
        named = [order for order in owner if order in message.text]
        assert [owner[order] for order in named] == [message.customer_id]


def test_the_truth_is_in_no_event(world: World, run: Run) -> None:
    hidden = {kind.name for kind in world.types} | {"price_sensitivity", "drift_days", "satisfaction", "interest"}
    text = "\n".join(timed.event.to_json().decode() for timed in run.events[:8000])
    assert not [word for word in hidden if word in text]


def test_shoppers_look_at_what_they_like(world: World, run: Run) -> None:
    wanted = {kind.name: set(kind.kinds) for kind in world.types}
    looked: Counter[bool] = Counter()
    for visit in run.truth.visits.values():
        shopper = run.truth.shoppers[visit["customer_id"]]
        if shopper.drift_days is None:
            looked.update(kind in wanted[shopper.first_type] for kind in visit["kinds"])
    assert looked[True] / looked.total() > 0.85


def test_the_rate_is_kept(run: Run, plan: Plan) -> None:
    visits = len(run.truth.visits)
    assert len(run.events) / visits == pytest.approx(EVENTS_PER_VISIT, rel=0.1)
    later = [timed for timed in run.events if timed.time > plan.start + timedelta(minutes=20)]
    seconds = (later[-1].time - later[0].time).total_seconds()
    assert len(later) / seconds == pytest.approx(5, rel=0.15)


def test_nights_are_quiet_with_a_rhythm(world: World, plan: Plan) -> None:
    events = islice(simulate(world, replace(plan, rhythm=True, speed=1, visits_per_s=0.02)), 30_000)
    hours = Counter(timed.time.hour for timed in events if timed.topic == "clickstream.v1")
    assert sum(hours[hour] for hour in (2, 3, 4)) < sum(hours[hour] for hour in (19, 20, 21)) / 3
