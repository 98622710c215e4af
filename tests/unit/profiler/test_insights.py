"""Insights: what is found, what is not, and that nothing is said twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np

from rapport.events.base import Event
from rapport.events.behaviour import (
    CheckoutStarted,
    OrderCompleted,
    ProductAdded,
    ProductReviewed,
    ProductsSearched,
    ProductViewed,
)
from rapport.testing import FakeEncoder, message
from rapport.testing.events import BEGIN
from services.profiler.domain.background import Background
from services.profiler.domain.rules import MINUTE_MS
from services.profiler.insights.analysis import Analysis
from services.profiler.insights.drift import Drift
from services.profiler.insights.finding import DAY_MS, Finding, Windows
from services.profiler.insights.memory import Memory
from services.profiler.insights.opinions import Opinions
from services.profiler.insights.topics import Topics

START = int(BEGIN.timestamp() * 1000)
STOCK = {"gone": ("Folding stroller", 0), "few": ("Coffee grinder", 3), "many": ("Rug", 5000)}


class Day:
    """An analyst that is told of days."""

    def __init__(self) -> None:
        self.analysis, self.offset = Analysis("default", 30 * MINUTE_MS), 0

    def tell(self, day: float, *events: Event) -> None:
        for event in events:
            self.offset += 1
            self.analysis.take([message(event, self.offset, at=BEGIN + timedelta(days=day, seconds=self.offset % 60))])

    def find(self, day: float) -> list[Finding]:
        windows = Windows(START + round(day * DAY_MS))
        return list(self.analysis.findings(windows, STOCK.get))

    def kinds(self, day: float) -> set[tuple[str, str]]:
        return {(found.kind, found.subject) for found in self.find(day)}


def sessions(
    day: int, number: int, share: float, device: str = "mobile", more: str = ""
) -> Sequence[tuple[float, list[Event]]]:
    """So many sessions through a day, of which `share` order after the checkout."""
    found = []
    for place in range(number):
        who: dict[str, Any] = {"customer_id": f"{device}{day}-{place}", "context": {"device": device}}
        events: list[Event] = [
            ProductAdded(product_id="many", **who),
            CheckoutStarted(**who),
        ]
        if place < share * number:
            line = [{"product_id": "many"}]
            events.append(
                OrderCompleted.model_validate({"order_id": "o", "total": 1, "currency": "EUR", "products": line, **who})
            )
        found.append((day + place / number * 0.9, events))
    return found


def run(day: Day, *parts: Sequence[tuple[float, list[Event]]]) -> None:
    for at, events in sorted((each for part in parts for each in part), key=lambda each: each[0]):
        day.tell(at, *events)


def test_a_checkout_that_breaks_on_one_device_is_told_for_this_device() -> None:
    day = Day()
    for number in range(8):
        bad = number == 7
        run(day, sessions(number, 60, 0.2 if bad else 0.7), sessions(number, 60, 0.7, "desktop"))
    found = {each.subject: each for each in day.find(8)}
    told = found["funnel:device=mobile:purchase"]
    assert told.kind == "funnel_drop"
    assert told.sentence == "Of the sessions on mobile that went to the checkout only 20% ordered, 70% before."
    assert told.confidence > 0.999
    assert told.evidence
    assert "funnel:device=desktop:purchase" not in found


def test_days_that_are_alike_give_no_findings() -> None:
    day = Day()
    dice = np.random.default_rng(3)
    for number in range(10):
        run(day, sessions(number, 60, float(dice.normal(0.7, 0.05))), sessions(number, 40, 0.7, "desktop"))
        assert day.kinds(number + 1) == set()


def test_a_shop_that_has_just_opened_does_not_surge() -> None:
    day = Day()
    run(day, sessions(0, 2, 1.0), sessions(7, 80, 0.7))
    assert day.kinds(8) == set()


def test_a_search_without_a_good_result_is_told_with_its_people() -> None:
    day = Day()
    for person in range(6):
        day.tell(
            0.1 + person / 100, ProductsSearched(customer_id=f"p{person}", query="Gore-Tex  boots", result_count=0)
        )
        day.tell(0.3 + person / 100, ProductsSearched(customer_id=f"p{person}", query="rug", result_count=9))
        day.tell(0.3 + person / 100, ProductViewed(customer_id=f"p{person}", product_id="many"))
    (found,) = [each for each in day.find(1) if each.kind == "search_gap"]
    assert found.sentence.startswith("6 of 6 searches for “gore-tex boots” (100%), by 6 people")
    assert found.size == 6


def test_results_that_nobody_opens_are_no_good_result() -> None:
    day = Day()
    for person in range(6):
        day.tell(0.1, ProductsSearched(customer_id=f"p{person}", query="lamp", result_count=40))
    assert ("search_gap", "search:lamp") in day.kinds(1)


def test_one_person_who_searches_again_and_again_is_no_gap() -> None:
    day = Day()
    for turn in range(9):
        day.tell(0.1 + turn / 50, ProductsSearched(customer_id="p1", query="lamp", result_count=0))
    assert day.kinds(1) == set()


def test_demand_meets_stock() -> None:
    day = Day()
    for person in range(12):
        for product in STOCK:
            day.tell(0.05 * person, ProductViewed(customer_id=f"p{person}", product_id=product))
        who, line = (
            {"customer_id": f"p{person}", "order_id": f"o{person}"},
            [{"product_id": "few"}, {"product_id": "many"}],
        )
        order = OrderCompleted.model_validate({"total": 1, "currency": "EUR", "products": line, **who})
        day.tell(0.05 * person + 0.01, order)
    found = {each.subject: each for each in day.find(0.9)}
    assert found["product:gone"].sentence == "Folding stroller is sold out and was looked at 12 times."
    assert found["product:few"].kind == "stock_runs_out"
    assert "product:many" not in found


def test_an_aspect_that_is_spoken_of_worse_is_told() -> None:
    opinions = Opinions()
    for number in range(20):
        opinions.hear("aspect:delivery", START + number * DAY_MS // 4, 0.6 if number < 12 else -0.7, f"e{number}")
    windows = Windows(START + 5 * DAY_MS, recent_ms=2 * DAY_MS)
    (found,) = opinions.findings(windows)
    assert found.direction == -1
    assert found.sentence == "Delivery is spoken of worse: -0.70 in 8 opinions, +0.60 before."


def test_reviews_wait_for_the_models() -> None:
    day = Day()
    review = "Fast delivery, but the stitching broke."
    day.tell(0.1, ProductReviewed(customer_id="c1", product_id="many", review_body=review))
    (text,) = day.analysis.waiting
    assert (text.text, text.product, text.judged) == (review, "many", True)


def test_a_topic_emerges_in_people_s_own_words() -> None:
    encoder, topics = FakeEncoder(), Topics()
    background = Background.of(encoder.vector)
    topics.begin("fake@1")
    for day in range(6):
        for turn in range(6):
            hear(topics, encoder, background, "blue cotton rug", f"a{day}{turn}", day + turn / 10)
    for turn in range(14):
        hear(topics, encoder, background, "portable air conditioner", f"b{turn}", 6 + turn / 20)
    (found,) = topics.findings(Windows(START + round(6.9 * DAY_MS)))
    assert found.subject == "topic:portable air conditioner"
    assert found.sentence == "14 people spoke of “portable air conditioner” 14 times; nobody did before."


def hear(topics: Topics, encoder: FakeEncoder, background: Background, text: str, who: str, day: float) -> None:
    topics.hear(text, encoder.vector(text), background, who, START + round(day * DAY_MS), f"e-{who}")


def test_a_segment_that_people_leave_is_told_but_not_after_a_refit() -> None:
    drift = Drift()
    for number in range(30):
        change = "entered" if number % 10 == 0 else "left"
        drift.move("taste", "taste-1", "Runners", change, "v1", START + number, f"e{number}")
    windows = Windows(START + DAY_MS // 2)
    assert list(drift.findings(windows)) == []  # the model is as new as the moves
    drift.move("taste", "taste-1", "Runners", "left", "v1", START + DAY_MS, "e")
    later = Windows(START + DAY_MS + MINUTE_MS)
    (found,) = drift.findings(replace(later, recent_ms=DAY_MS))
    assert found.sentence == "Runners loses customers: 3 entered and 28 left."


def finding(size: float, day: float, direction: int = 0) -> Finding:
    end = START + round(day * DAY_MS)
    return Finding("search_gap", "search:lamp", "…", size, 0.99, end - DAY_MS, end, direction=direction)


def test_nothing_is_said_twice_while_nothing_changes() -> None:
    memory = Memory()
    said = [memory.is_news(finding(size, day)) for day, size in ((0, 10), (0.1, 11), (0.2, 14), (0.3, 15), (0.4, 15))]
    assert said == [True, False, False, True, False]


def test_a_turn_a_week_and_a_new_story_are_news() -> None:
    memory = Memory()
    assert memory.is_news(finding(10, 0, -1))
    assert memory.is_news(finding(10, 0.5, 1))
    assert [memory.is_news(finding(10, day / 2, 1)) for day in range(2, 16)].count(True) == 1
    assert memory.is_news(finding(10, 20, 1))


def test_another_process_knows_what_was_said() -> None:
    memory = Memory()
    memory.recall("search_gap", "search:lamp", 10, START, {"direction": 0})
    assert not memory.is_news(finding(11, 0.5))
