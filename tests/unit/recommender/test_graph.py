"""The product graph: what it relates, and that the way it gives as the reason is one that is there."""

from __future__ import annotations

import gc
import weakref

from rapport.testing import ordered, viewed
from services.recommender.domain.graph import NO_GRAPH
from services.recommender.domain.graph_building import build
from services.recommender.domain.products import Product, product_of
from services.recommender.domain.situation import Tie
from tests.unit.recommender.goods import product
from tests.unit.recommender.shop import Shop, ids, texts


def _goods() -> list[Product]:
    return [
        product_of(product("phone", "Phone", "Phones", brand="Arlo", complements=["case"])),
        product_of(product("case", "Case", "Cases", brand="Bex")),
        product_of(product("charger", "Charger", "Cables", brand="Arlo")),
        product_of(product("tablet", "Tablet", "Phones", brand="Cade", substitutes=["phone"])),
        product_of(product("soap", "Soap", "Bath", brand="Dune")),
        product_of(product("towel", "Towel", "Bath", brand="Elm")),
    ]


def test_what_the_shop_says_goes_together_comes_first_and_strangers_not_at_all() -> None:
    graph = build(_goods(), {}, 0)
    found = graph.related({"phone": 1.0}, 10)
    assert list(found.product_ids)[:2] == ["case", "tablet"]
    assert set(found.product_ids) == {"case", "tablet", "charger"}
    assert all(0 < score < 1 for score in found.scores)


def test_the_way_leads_from_the_seed_to_the_product_over_edges_that_are_there() -> None:
    graph = build(_goods(), {}, 0)
    found = graph.related({"phone": 1.0}, 10)
    paths = {product_id: found.path(at) for at, product_id in enumerate(found.product_ids)}
    assert paths == {
        "case": ("p:phone", "p:case"),
        "tablet": ("p:phone", "p:tablet"),
        "charger": ("p:phone", "brand:Arlo", "p:charger"),
    }


def test_what_goes_with_everything_leads_nowhere() -> None:
    hub = product_of(product("hub", "Bag", "Bags", complements=[f"p{number}" for number in range(1100)]))
    others = [product_of(product(f"p{number}", "Thing", f"Shelf {number // 2}")) for number in range(1100)]
    graph = build([hub, *others], {}, 0)
    assert not graph.related({"hub": 1.0}, 5).product_ids
    # From a neighbour the way leads to the hub, and not on to all that it touches.
    found = graph.related({"p0": 1.0}, 5)
    assert list(found.product_ids) == ["hub", "p1"]
    assert found.path(1) == ("p:p0", "category:Shelf 0", "p:p1")


def test_a_tie_that_is_kept_at_one_end_only_is_an_edge() -> None:
    goods = [product_of(product(name, name, f"Shelf of {name}")) for name in ("a", "b")]
    graph = build(goods, {"b": [Tie("a", 5.0)]}, 0)
    assert list(graph.related({"a": 1.0}, 5).product_ids) == ["b"]


def test_nothing_is_related_to_what_is_not_in_the_graph() -> None:
    assert not NO_GRAPH.related({"phone": 1.0}, 5).product_ids
    assert not build(_goods(), {}, 0).related({"gone": 1.0}, 5).product_ids


async def test_reasons_tell_the_way_in_the_customer_s_language(shop: Shop) -> None:
    await shop.stock(
        product("lens", "Lens", "Optics", brand="Nord"),
        product("bag", "Bag", "Bags", brand="Nord"),
        product("tripod", "Tripod", "Stands", complements=["lens"]),
    )
    await shop.behave(viewed("ada", "lens"))
    shop.draw_graph()
    made = await shop.recommend("ada", limit=3)
    assert ids(made)[0] == "tripod"
    assert "Complements Lens, which you looked at" in texts(made, "tripod")
    assert "By Nord, like Lens, which you looked at" in texts(made, "bag")
    (reason,) = [reason for reason in made.items[0].reasons if reason.kind == "graph"]
    assert (reason.subject, reason.path) == ("lens", ("p:lens", "p:tripod"))
    chinese = await shop.recommend("ada", limit=3, language="zh-CN")
    assert "可与您看过的“Lens中文”搭配" in texts(chinese, "tripod")


async def test_what_shoppers_do_leads_over_two_steps(shop: Shop) -> None:
    # bob's order ties lamps-0 to coffee-0, cy's ties coffee-0 to shoes-0: from lamps-0 to shoes-0 it is two steps.
    for number in range(3):
        await shop.behave(ordered(f"b{number}", f"o{number}", "lamps-0", "coffee-0"))
        await shop.behave(ordered(f"c{number}", f"q{number}", "coffee-0", "shoes-0"))
    shop.draw_graph()
    found = shop.pictures.graph.related({"lamps-0": 1.0}, 20)
    place = {product_id: at for at, product_id in enumerate(found.product_ids)}
    assert found.scores[place["coffee-0"]] > found.scores[place["shoes-0"]]
    assert found.path(place["shoes-0"]) == ("p:lamps-0", "p:coffee-0", "p:shoes-0")


def test_a_graph_that_was_replaced_takes_its_walks_along_at_once() -> None:
    """Its memory must not wait for the collector of cycles, which seldom runs in a large process."""
    graph = build(_goods(), {}, 0)
    assert graph.related({"phone": 1.0}, 10).path(0)
    gone = weakref.ref(graph)
    gc.disable()
    try:
        del graph
        assert gone() is None
    finally:
        gc.enable()
