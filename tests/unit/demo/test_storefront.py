"""Shoppers look at what is recommended and click what they like; what is sold leaves the shelf."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from random import Random

import pytest

from rapport.events.behaviour import ItemClicked, ItemsShown, OrderCompleted, ProductViewed
from rapport.events.recommendations import RecommendationMade
from services.demo.domain.attention import click_chance, clicks
from services.demo.domain.goods import Product
from services.demo.domain.interest import Interests
from services.demo.domain.plan import Plan
from services.demo.domain.shopper import make_shopper
from services.demo.domain.stockroom import Stockroom
from services.demo.domain.storefront import Storefront
from services.demo.domain.world import TimedEvent, World
from tests.unit.demo.conftest import START

NAME = "00007"


def _answer(products: Sequence[Product]) -> RecommendationMade:
    return RecommendationMade.model_validate(
        {
            "recommendation_id": "r-1",
            "customer_id": f"c-{NAME}",
            "strategy": "personalised",
            "items": [{"product_id": product.id, "score": 0.5} for product in products],
            "created_at": START,
            "expires_at": START + timedelta(hours=6),
        }
    )


def _page(number: int) -> TimedEvent:
    viewed = ProductViewed.model_validate(
        {"customer_id": f"c-{NAME}", "session_id": "s-1", "product_id": "p", "occurred_at": START}
    )
    return TimedEvent("clickstream.v1", f"c-{NAME}", viewed, START, f"e-{number}")


def _favourites(world: World, plan: Plan) -> list[Product]:
    """Six products of the kind that the shopper is most after."""
    shopper = make_shopper(world, plan, NAME)
    kinds = Interests(world, plan).of(shopper, START).kinds
    return list(world.catalog.by_kind[max(kinds, key=lambda kind: kinds[kind])][:6])


def test_pages_show_the_newest_answer_and_lead_to_clicks_on_it(world: World, plan: Plan) -> None:
    front, shown = Storefront(world, plan), _favourites(world, plan)
    assert front.after(_page(0), START) == []
    front.learn(f"c-{NAME}", _answer(shown))
    events = [event for number in range(200) for event in front.after(_page(number), START)]
    kinds = Counter(type(each.event) for each in events)
    assert 50 < kinds[ItemsShown] < 110
    assert 0 < kinds[ItemClicked] == kinds[ProductViewed]
    for each in events:
        assert each.key == f"c-{NAME}"
        if isinstance(each.event, ItemsShown):
            assert each.event.product_ids == tuple(product.id for product in shown)
        if isinstance(each.event, ItemClicked):
            assert each.event.recommendation_id == "r-1"
    assert len({each.event_id for each in events}) == len(events)


def test_an_expired_or_withdrawn_answer_is_not_shown(world: World, plan: Plan) -> None:
    front = Storefront(world, plan)
    front.learn(f"c-{NAME}", _answer(_favourites(world, plan)))
    assert not [event for number in range(50) for event in front.after(_page(number), START + timedelta(hours=6))]
    front.learn(f"c-{NAME}", None)
    assert not [event for number in range(50) for event in front.after(_page(number), START)]


def test_what_shoppers_are_after_is_clicked_more_and_first_places_most(world: World, plan: Plan) -> None:
    shopper, dice = make_shopper(world, plan, NAME), Random(1)
    interest = Interests(world, plan).of(shopper, START)
    liked = _favourites(world, plan)
    others = [product for product in world.catalog.products if product.kind.id not in interest.kinds][:6]

    def mean(shown: Sequence[Product]) -> float:
        return sum(len(clicks(shopper, interest, shown, world.catalog, dice)) for _ in range(2000)) / 2000

    assert mean(others) == 0
    chance = click_chance(shopper, interest, liked[0], world.catalog)
    # Places 1 to 6 are looked at by 1/1 to 1/6 of the shoppers.
    assert mean([liked[0]] * 6) == pytest.approx(chance * 2.45, abs=0.1)
    assert mean([*liked[:1], *others]) > mean([*others, *liked[:1]])


def test_stock_falls_with_orders_and_is_filled_up_by_a_delivery(world: World) -> None:
    product = next(product for product in world.catalog.products if product.stock > 5)
    room = Stockroom(world.catalog, timedelta(minutes=30))
    order = OrderCompleted.model_validate(
        {
            "customer_id": "c-1",
            "order_id": "o-1",
            "total": "10.00",
            "currency": "EUR",
            "products": [{"product_id": product.id, "quantity": product.stock - 1}],
        }
    )
    (left,) = room.after(order, START)
    assert (left.product_id, left.stock) == (product.id, 1)
    assert left.title == product.upserted().title
    view = _page(1).event
    assert room.after(view, START + timedelta(minutes=29)) == []
    (filled,) = room.after(view, START + timedelta(minutes=30))
    assert filled.stock == product.stock + 1
