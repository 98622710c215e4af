"""Affinities, recent products, language, tone, identity."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from rapport.events.behaviour import Context, Identify, PageViewed, ProductReviewed
from rapport.testing import ordered, searched, viewed
from services.profiler.domain.observation import price_band

if TYPE_CHECKING:
    from tests.unit.profiler.conftest import Shop


async def test_affinities_of_a_dimension_sum_to_one(shop: Shop) -> None:
    profile = await shop.happen(viewed("c1", "running-0"), viewed("c1", "coffee-0", price="18.50", currency="EUR"))
    found = {(affinity.dimension, affinity.value): affinity.weight for affinity in profile.affinities}
    assert found["category", "Running shoes"] == pytest.approx(0.5, abs=0.001)
    assert found["brand", "Fernhill"] == 1
    assert {value for dimension, value in found if dimension == "price_band"} == {"100-250 EUR", "10-25 EUR"}


async def test_affinities_fade_and_stay_bounded(shop: Shop) -> None:
    await shop.happen(*[viewed("c1", "x", category=f"kind {number}") for number in range(12)])
    profile = await shop.happen(viewed("c1", "running-0"), days=30)
    weights = {affinity.value: affinity.weight for affinity in profile.affinities if affinity.dimension == "category"}
    assert len(weights) == 10
    assert weights["Running shoes"] == pytest.approx(1 / (1 + 9 / 2), abs=0.01)


@pytest.mark.parametrize(
    ("price", "band"),
    [("0", "0-1 EUR"), ("0.99", "0-1 EUR"), ("1", "1-2.5 EUR"), ("2.5", "2.5-5 EUR"), ("9.99", "5-10 EUR"),
     ("10", "10-25 EUR"), ("129.00", "100-250 EUR"), ("250", "250-500 EUR"), ("99999", "50000-100000 EUR")],
)  # fmt: skip
def test_price_bands_are_a_ladder_without_end(price: str, band: str) -> None:
    assert price_band(Decimal(price), "EUR") == band


async def test_recent_products_are_in_event_time_and_each_once(shop: Shop) -> None:
    await shop.happen(viewed("c1", "running-0"), minutes=5)
    await shop.happen(viewed("c1", "running-1"), minutes=1)
    profile = await shop.happen(viewed("c1", "running-2"), viewed("c1", "running-0"), minutes=9)
    assert profile.recent_product_ids == ("running-0", "running-2", "running-1")


async def test_memories_are_bounded(shop: Shop) -> None:
    looks = [viewed("c1", f"p-{number}") for number in range(60)]
    buys = [ordered("c1", f"o-{number}", f"q-{number}") for number in range(60)]
    profile = await shop.happen(*looks, *buys)
    assert profile.recent_product_ids == tuple(f"p-{number}" for number in range(59, 39, -1))
    assert len(profile.purchased_product_ids) == 50
    assert profile.value.order_count == 60


async def test_the_locale_tells_the_language_and_the_newest_wins(shop: Shop) -> None:
    await shop.happen(PageViewed(customer_id="c1", context=Context(locale="zh_CN")), minutes=5)
    await shop.happen(PageViewed(customer_id="c1", context=Context(locale="en-GB")), minutes=1)
    profile = await shop.happen(PageViewed(customer_id="c1", context=Context(locale="no such thing")), minutes=9)
    assert profile.language == "zh-CN"


async def test_without_a_locale_the_words_tell_the_language(shop: Shop) -> None:
    assert (await shop.happen(viewed("c1", "running-0"))).language is None
    profile = await shop.happen(searched("c1", "跑步鞋"), searched("c1", "男鞋"), searched("c1", "gore-tex"), minutes=1)
    assert profile.language == "zh"


async def test_reviews_make_the_mood(shop: Shop) -> None:
    good = ProductReviewed(customer_id="c1", product_id="running-0", review_body="I love them")
    bad = ProductReviewed(customer_id="c1", product_id="running-1", review_body="Came broken")
    profile = await shop.happen(good, good)
    assert profile.sentiment is not None
    assert profile.sentiment.score > 0.5
    mixed = await shop.happen(bad, bad, minutes=1)
    assert mixed.sentiment is not None
    assert mixed.sentiment.score == pytest.approx(0, abs=0.01)
    assert mixed.sentiment.count == 4


async def test_an_anonymous_visitor_has_a_profile_under_that_id(shop: Shop) -> None:
    visit = viewed("c1", "running-0").model_copy(update={"customer_id": None, "anonymous_id": "a-1"})
    profile = await shop.happen(visit)
    assert (profile.customer_id, (await shop.profile("a-1")).event_count) == ("a-1", 1)


async def test_identify_records_the_link(shop: Shop) -> None:
    await shop.happen(Identify(customer_id="c1", anonymous_id="a-1"))
    assert list(shop.kept().anonymous) == ["a-1"]
