"""After scoring: filters and promotions in CEL, diversity, exploration, price bands, what the customer refused."""

from __future__ import annotations

from collections import Counter

import pytest

from rapport.events.behaviour import ItemsShown, OrderRefunded, ProductReviewed
from rapport.events.recommendations import RecommendationMade
from rapport.ops.errors import InvalidRequest
from rapport.testing import ordered, viewed
from services.recommender.domain.expressions import Expression
from services.recommender.domain.rules import Policy, Promotion
from tests.unit.recommender.goods import GOODS, product
from tests.unit.recommender.shop import Shop, ids, texts

NEEDS = {"Running shoes": "running shoes"}


async def test_a_caller_s_filter_holds_even_when_the_list_stays_short(shop: Shop) -> None:
    await shop.stock(product("gold", "golden lamp", "lamps", price="99.00", attributes={"metal": "gold"}))
    made = await shop.recommend(filter=Expression("has(item.price) && item.price > 50.0"))
    assert ids(made) == ["gold"]
    made = await shop.recommend(filter=Expression('item.attributes.metal == "gold" && "lamps" in item.category'))
    assert ids(made) == ["gold"]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("item.price <", "no CEL expression"),
        ("price < 3", "unknown name 'price'"),
        ("item.prce < 3.0", "item has no 'prce'"),
        ('item.brand == "a.item.b" && customer.age > 3', "customer has no 'age'"),
        ("item.price + 1 < 3.0", "float . int"),
        ("1 + 1", "gives int"),
        ("f(1)", "f"),
    ],
)
def test_what_is_no_filter_is_refused_by_name(text: str, wrong: str) -> None:
    with pytest.raises(InvalidRequest, match=wrong.replace("'", ".")):
        Expression(text)


async def test_the_shop_s_filters_may_speak_of_the_customer() -> None:
    shop = Shop(Policy(filters=(Expression('customer.orders > 0 || !("lamps" in item.category)'),)))
    await shop.stock(*GOODS.values())
    assert not [each for each in ids(await shop.recommend("ada")) if each.startswith("lamps")]
    await shop.profile("ada", {}, value={"order_count": 1})
    assert ids(await shop.recommend("ada", category="lamps"))


async def test_a_promotion_lifts_what_it_fits_and_says_so() -> None:
    shop = Shop(Policy(promotions=(Promotion("Spring sale", Expression('item.id == "lamps-3"'), 3.0),)))
    await shop.stock(*GOODS.values())
    await shop.behave(viewed("b", "lamps-3"), viewed("b", "lamps-1"), viewed("b", "lamps-1"))
    made = await shop.recommend("stranger", limit=3)
    assert ids(made)[0] == "lamps-3"
    assert texts(made, "lamps-3")[0] == "Part of Spring sale"


async def test_diversity_puts_what_is_unlike_further_up(shop: Shop) -> None:
    twins = [product(f"twin-{number}", "trail running shoes", "shoes") for number in range(4)]
    await shop.stock(*twins)
    await shop.profile("ada", {**NEEDS, "Lamps": "lamp"})
    plain = ids(await shop.recommend("ada", limit=8))
    mixed = Shop(Policy(diversity=0.7))
    await mixed.stock(*GOODS.values(), *twins)
    await mixed.profile("ada", {**NEEDS, "Lamps": "lamp"})
    found = ids(await mixed.recommend("ada", limit=8))
    assert found[0] == plain[0]

    def twins_of(ids_: list[str]) -> int:
        return sum(id_.startswith("twin") or id_ == "shoes-0" for id_ in ids_[:4])

    assert twins_of(found) < twins_of(plain)


async def test_of_copies_of_a_product_one_is_shown_while_there_is_something_else() -> None:
    # A promotion lifts them far above all else: no share of likeness would take them apart.
    shop = Shop(Policy(diversity=0.15, promotions=(Promotion("Sale", Expression('item.id.startsWith("copy")'), 3.0),)))
    await shop.stock(*GOODS.values(), *(product(f"copy-{number}", "red wool mitten", "gloves") for number in range(3)))
    await shop.profile("ada", {**NEEDS, "Gloves": "red wool mitten"})
    found = ids(await shop.recommend("ada", limit=5))
    assert found[0].startswith("copy")
    assert sum(id_.startswith("copy") for id_ in found) == 1
    all_of_them = ids(await shop.recommend("ada", limit=100))
    assert sum(id_.startswith("copy") for id_ in all_of_them) == 3


async def test_exploration_leaves_the_first_five_and_tells_its_probabilities() -> None:
    shop = Shop(Policy(explore=0.3))
    await shop.stock(*GOODS.values())
    await shop.profile("ada", NEEDS)
    # Everything is a candidate: somebody looked at it.
    await shop.behave(*(viewed("bob", product_id) for product_id in GOODS))
    answers: list[RecommendationMade] = []
    for _ in range(60):
        revision = len(answers) + 1
        ada = await shop.profile("ada", NEEDS, revision=revision)
        answers.append(await shop.recommend("ada", limit=8))
        # Asked again it is the same, and what is pushed too.
        assert ids(await shop.recommend("ada", limit=8)) == ids(answers[-1])
        for out in await shop.push(ada) if revision == 1 else ():
            assert isinstance(out.event, RecommendationMade)
            assert ids(out.event) == ids(await shop.recommend("ada"))
    assert len({tuple(ids(made)[:5]) for made in answers}) == 1
    places = [item for made in answers for item in made.items[5:]]
    kept = [item for item in places if item.propensity == pytest.approx(0.7)]
    given = [item for item in places if item.propensity < 0.3]
    assert len(kept) + len(given) == len(places)
    assert 0.15 < len(given) / len(places) < 0.45
    assert all(item.propensity == 1.0 for made in answers for item in made.items[:5])


async def test_a_price_far_from_what_the_customer_pays_counts_less() -> None:
    shop = Shop(Policy(price_fit=0.9))
    await shop.stock(product("dear", "desk lamp", "lamps", price="900.00"), product("fair", "desk lamp", "lamps"))
    await shop.profile(
        "ada", {"Lamps": "desk lamp"}, affinities=[{"dimension": "price_band", "value": "5-10 EUR", "weight": 1.0}]
    )
    made = await shop.recommend("ada", limit=2)
    assert ids(made) == ["fair", "dear"]
    assert made.items[1].score < made.items[0].score / 2


async def test_what_was_sent_back_or_panned_is_not_shown_again(shop: Shop) -> None:
    await shop.profile("ada", NEEDS)
    first, second = ids(await shop.recommend("ada"))[:2]
    who = {"customer_id": "ada"}
    refund = OrderRefunded.model_validate({**who, "order_id": "o", "products": [{"product_id": first}]})
    review = ProductReviewed.model_validate({**who, "product_id": second, "review_body": "Broke", "rating": 1})
    await shop.behave(refund, review)
    assert not {first, second} & set(ids(await shop.recommend("ada", limit=20)))
    assert first in ids(await shop.recommend("bob", limit=20))


async def test_a_refund_that_names_no_products_is_of_all_that_the_order_had(shop: Shop) -> None:
    await shop.behave(ordered("ada", "o-1", "lamps-0", "lamps-1"))
    await shop.behave(OrderRefunded.model_validate({"customer_id": "ada", "order_id": "o-1"}))
    # Of an order that nobody knows, nothing is counted.
    await shop.behave(OrderRefunded.model_validate({"customer_id": "ada", "order_id": "o-2"}))
    assert set(shop.counts.boards_of["default", "refused"]) == {"lamps-0", "lamps-1"}
    assert not {"lamps-0", "lamps-1"} & set(ids(await shop.recommend("ada", limit=20)))


async def test_what_is_shown_again_and_again_without_a_click_sinks(shop: Shop) -> None:
    await shop.profile("ada", NEEDS)
    made = await shop.recommend("ada")
    shown = {"customer_id": "ada", "recommendation_id": made.recommendation_id, "product_ids": ids(made)[:1]}
    await shop.behave(*[ItemsShown.model_validate(shown) for _ in range(6)])
    again = ids(await shop.recommend("ada"))
    assert again.index(ids(made)[0]) > 0
    assert Counter(again) == Counter(ids(made))
