"""What a customer is shown, and why: with needs, without, and when things are down."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rapport.ops.errors import UnavailableError
from rapport.testing import ordered, viewed
from services.recommender.domain.rules import Policy
from tests.unit.recommender.goods import GOODS, product
from tests.unit.recommender.shop import Shop, ids, texts


async def test_what_serves_the_strongest_need_comes_first_and_says_so(shop: Shop) -> None:
    await shop.profile("ada", {"Running shoes": "running shoes", "Lamps": "lamp"})
    made = await shop.recommend("ada")
    assert made.strategy == "personalised"
    assert made.fallbacks == ()
    assert all(item.startswith("shoes") for item in ids(made)[:3])
    assert texts(made, ids(made)[0]) == ["Close to your interest in Running shoes"]
    lamp = next(item for item in ids(made) if item.startswith("lamps"))
    assert texts(made, lamp) == ["Close to your interest in Lamps"]
    assert made.encoder == shop.encoder.model
    assert made.profile_revision == 1


async def test_reasons_speak_the_customer_s_language_unless_asked_otherwise(shop: Shop) -> None:
    await shop.profile("lin", {"跑鞋": "running shoes"}, language="zh-CN")
    made = await shop.recommend("lin")
    assert texts(made, ids(made)[0]) == ["符合您对“跑鞋”的兴趣"]
    made = await shop.recommend("lin", language="en")
    assert texts(made, ids(made)[0]) == ["Close to your interest in 跑鞋"]


async def test_a_far_product_is_not_said_to_fit_an_interest(shop: Shop) -> None:
    await shop.profile("ada", {"Running shoes": "running shoes"})
    made = await shop.recommend("ada", limit=15)
    said = {item.product_id for item in made.items for reason in item.reasons if reason.kind == "need"}
    assert said <= {"shoes-0", "shoes-1", "shoes-2", "shoes-3", "shoes-4"}
    assert len(said) >= 3
    assert len(made.items) == 15


async def test_nothing_hidden_sold_out_bought_or_excluded_is_shown(shop: Shop) -> None:
    await shop.stock(
        product("shoes-0", "trail running shoes", "shoes", stock=0),
        product("shoes-1", "road running shoes", "shoes", hidden=True),
    )
    await shop.profile("ada", {"Running shoes": "running shoes"}, purchased_product_ids=["shoes-4"])
    made = await shop.recommend("ada", limit=15, exclude=frozenset({"shoes-2"}))
    assert {"shoes-0", "shoes-1", "shoes-2", "shoes-4"}.isdisjoint(ids(made))
    assert len(ids(made)) == 11


async def test_what_is_bought_again_and_again_may_be_shown_again() -> None:
    shop = Shop(Policy(repeat_categories=frozenset({"coffee"})))
    await shop.stock(*GOODS.values())
    await shop.profile("ada", {"Coffee": "coffee"}, purchased_product_ids=["coffee-4", "lamps-1"])
    made = await shop.recommend("ada", limit=15)
    assert "coffee-4" in ids(made)
    assert "lamps-1" not in ids(made)


async def test_products_just_looked_at_give_way_until_there_is_nothing_else(shop: Shop) -> None:
    await shop.profile("ada", {"Running shoes": "running shoes"}, recent_product_ids=["shoes-1", "shoes-0"])
    assert {"shoes-0", "shoes-1"}.isdisjoint(ids(await shop.recommend("ada", limit=13)))
    assert set(ids(await shop.recommend("ada", limit=15))[-2:]) == {"shoes-0", "shoes-1"}


async def test_no_category_takes_more_than_its_share_while_there_is_something_else(shop: Shop) -> None:
    await shop.profile("ada", {"Running shoes": "running shoes", "Lamps": "lamp"})
    made = await shop.recommend("ada", limit=4)
    assert sum(item.startswith("shoes") for item in ids(made)) == 2
    asked = await shop.recommend("ada", limit=4, category="SHOES")
    assert all(item.startswith("shoes") for item in ids(asked))
    assert len(asked.items) == 4


async def test_two_looked_at_this_too_is_said_of_two_others_only(shop: Shop) -> None:
    for other in ("bob", "eve"):
        await shop.behave(viewed(other, "coffee-0"), viewed(other, "lamps-3"), after=timedelta(minutes=1))
        await shop.behave(viewed(other, "shoes-0"), after=timedelta(hours=2))
    await shop.behave(viewed("ada", "coffee-0"))
    made = await shop.recommend("ada")
    assert made.strategy == "personalised"  # by what resembles the product looked at last
    assert "Others who looked at drip coffee maker also looked at this" in texts(made, "lamps-3")
    # bob's own visit is no news to bob.
    made = await shop.recommend("bob", limit=15)
    assert "Another shopper who looked at drip coffee maker also looked at this" in texts(made, "lamps-3")


async def test_bought_together_is_said_as_such(shop: Shop) -> None:
    await shop.behave(ordered("bob", "o1", "coffee-1", "coffee-4"), ordered("eve", "o2", "coffee-4", "coffee-1"))
    await shop.behave(viewed("ada", "coffee-1"))
    made = await shop.recommend("ada", language="zh")
    assert "购买了“moka coffee pot中文”的其他顾客也购买了这件商品" in texts(made, "coffee-4")


async def test_a_stranger_gets_what_is_trending_with_the_true_number(shop: Shop) -> None:
    for customer in ("a", "b", "c"):
        await shop.behave(viewed(customer, "lamps-2"), viewed(customer, "lamps-2"))
    await shop.behave(viewed("a", "lamps-4"))
    made = await shop.recommend()
    assert made.strategy == "trending"
    assert made.fallbacks == (
        "personalised: nobody is known",
        "co_visited: no product that this customer looked at is known",
        "graph: no product that this customer looked at is known",
    )
    assert ids(made)[0] == "lamps-2"
    assert texts(made, "lamps-2") == ["3 shoppers looked at it today", "Popular in this shop"]
    assert texts(made, "lamps-4") == []


async def test_after_a_quiet_week_what_is_popular_leads(shop: Shop) -> None:
    await shop.behave(ordered("a", "o1", "lamps-2"), viewed("b", "lamps-2"), viewed("c", "lamps-1"))
    shop.now += timedelta(days=7)
    made = await shop.recommend("stranger")
    assert made.strategy == "popular"
    assert made.fallbacks[3].startswith("trending: what was looked at was not in the last hours")
    assert texts(made, "lamps-2") == ["Popular in this shop"]
    assert texts(made, "lamps-1") == []


async def test_a_new_shop_shows_its_catalogue_one_of_each_kind(shop: Shop) -> None:
    made = await shop.recommend(limit=3)
    assert made.strategy == "catalogue"
    assert {item.partition("-")[0] for item in ids(made)} == {"shoes", "coffee", "lamps"}
    assert [fallback.partition(":")[0] for fallback in made.fallbacks] == [
        "personalised",
        "co_visited",
        "graph",
        "trending",
        "popular",
    ]
    assert all(item.reasons == () for item in made.items)


async def test_a_new_arrival_is_named_with_its_day(shop: Shop) -> None:
    shop.arrivals.new = {"lamps-9"}
    await shop.stock(product("lamps-9", "night lamp", "lamps"), index=False)
    made = await shop.recommend(limit=1)
    assert ids(made) == ["lamps-9"]
    assert texts(made, "lamps-9") == ["New in the shop since 2026-03-05"]
    chinese = await shop.recommend(limit=100, language="zh-CN")
    assert texts(chinese, "lamps-9") == ["2026年3月5日上架的新品"]
    shop.now += timedelta(days=15)
    assert texts(await shop.recommend(limit=16), "lamps-9") == []


async def test_without_redis_the_catalogue_answers_and_says_so(shop: Shop) -> None:
    await shop.profile("ada", {"Running shoes": "running shoes"})
    shop.counts.failure = UnavailableError("redis: down")
    made = await shop.recommend("ada")
    assert made.strategy == "catalogue"
    assert made.fallbacks[0] == "personalised: Redis does not answer"
    assert len(made.items) == 10


async def test_needs_of_another_encoder_are_not_compared(shop: Shop) -> None:
    ada = await shop.profile("ada", {"Running shoes": "running shoes"})
    shop.counts.profiles["ada"] = (ada.model_copy(update={"encoder": "other@2"}), None)
    made = await shop.recommend("ada")
    assert made.strategy == "catalogue"
    assert made.fallbacks[0] == "personalised: the needs are in other@2, the catalogue in fake@1"


async def test_needs_that_do_not_fit_their_vectors_are_not_used(shop: Shop) -> None:
    made = await shop.profile("ada", {"Running shoes": "running shoes", "Lamps": "lamp"})
    _, vectors = shop.counts.profiles["ada"]
    shop.counts.profiles["ada"] = (made, vectors[:1])
    answer = await shop.recommend("ada")
    assert answer.fallbacks[0] == "personalised: 1 need vectors for 2 needs: they are being written anew"


async def test_a_stocked_shop_always_answers_even_who_has_bought_everything(shop: Shop) -> None:
    await shop.profile("ada", {"Lamps": "lamp"}, purchased_product_ids=list(GOODS))
    assert len(ids(await shop.recommend("ada"))) == 10
    await shop.delist(*GOODS)
    assert ids(await shop.recommend("ada")) == []


@pytest.mark.parametrize("limit", [1, 2, 5, 15, 100])
async def test_a_list_is_as_long_as_asked_and_holds_each_product_once(shop: Shop, limit: int) -> None:
    await shop.profile("ada", {"Lamps": "lamp"}, recent_product_ids=["coffee-1"])
    await shop.behave(viewed("ada", "shoes-1"), viewed("bob", "shoes-1"), viewed("bob", "lamps-0"))
    found = ids(await shop.recommend("ada", limit=limit))
    assert len(found) == len(set(found)) == min(limit, 15)


async def test_weights_are_shares_of_the_score(shop: Shop) -> None:
    await shop.profile("ada", {"Running shoes": "running shoes"})
    for customer in ("a", "b", "ada"):
        await shop.behave(viewed(customer, "shoes-1"), viewed(customer, "shoes-0"))
    made = await shop.recommend("ada", limit=15)
    for item in made.items:
        weights = [reason.weight for reason in item.reasons]
        assert weights == sorted(weights, reverse=True)
        assert sum(weights) <= 1.001


async def test_ranking_keeps_every_product_and_puts_the_wanted_first(shop: Shop) -> None:
    await shop.stock(product("shoes-1", "road running shoes", "shoes", stock=0))
    await shop.profile("ada", {"Running shoes": "running shoes"})
    made, unknown = await shop.rank("ada", "lamps-0", "ghost", "shoes-1", "coffee-3", "shoes-0", "spook")
    assert set(ids(made)[:2]) == {"shoes-1", "shoes-0"}
    assert set(ids(made)) == {"lamps-0", "shoes-1", "coffee-3", "shoes-0"}
    assert unknown == ["ghost", "spook"]
    assert made.strategy == "personalised"


async def test_ranking_for_nobody_in_a_new_shop_keeps_the_callers_order(shop: Shop) -> None:
    made, _ = await shop.rank("", "lamps-0", "shoes-1", "coffee-3")
    assert ids(made) == ["lamps-0", "shoes-1", "coffee-3"]
    assert made.strategy == "catalogue"
