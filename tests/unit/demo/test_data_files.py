"""The shop's own data: complete in both languages, and without contradictions."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from rapport.ops.errors import ConfigurationError
from services.demo.adapters.article_files import load_articles
from services.demo.adapters.catalog_files import load_catalog
from services.demo.domain.buying import FREE_SHIPPING_FROM, SHIPPING
from services.demo.domain.world import World

HAN = re.compile(r"[\u4e00-\u9fff]")
FIGURE = re.compile(r"\d+(?:[.:]\d+)?")
# Months are words in English and figures in Chinese.
MONTHS = {"1", "11", "12"}


def test_there_are_three_hundred_products_of_many_kinds(world: World) -> None:
    products = world.catalog.products
    assert 290 <= len(products) <= 330
    assert len({product.id for product in products}) == len(products)
    assert 8 <= len({product.kind.category["en"] for product in products}) <= 10
    assert min(len(of_kind) for of_kind in world.catalog.by_kind.values()) >= 5


def test_every_product_is_told_in_both_languages(world: World) -> None:
    for product in world.catalog.products:
        event = product.upserted()
        for texts in (event.title, event.description):
            assert HAN.search(texts["zh"]), product.id
            assert not HAN.search(texts["en"]), product.id
        for name, value in event.attributes.items():
            if isinstance(value, str) and not name.endswith("_zh"):
                assert f"{name}_zh" in event.attributes, (product.id, name)
        assert event.currency == "EUR"
        assert event.price is not None


def test_no_text_stands_for_two_products(world: World) -> None:
    for language in ("en", "zh"):
        for texts in ("title", "description"):
            counted = Counter(getattr(product, texts)[language] for product in world.catalog.products)
            assert counted.most_common(1)[0][1] == 1, counted.most_common(1)


def test_some_products_are_sold_out(world: World) -> None:
    assert any(product.stock == 0 for product in world.catalog.products)


def test_every_article_exists_in_both_languages_with_the_same_figures() -> None:
    articles = load_articles()
    assert len(articles) == 60
    assert len({article.article_id for article in articles}) == 60
    by_topic: dict[str | None, dict[str, str]] = {}
    for article in articles:
        by_topic.setdefault(article.translation_of, {})[article.language] = article.body
    for topic, bodies in by_topic.items():
        english, chinese = (set(FIGURE.findall(bodies[language])) for language in ("en", "zh"))
        assert english <= chinese, topic
        assert chinese - english <= MONTHS, topic


def test_the_shop_ships_as_its_article_says() -> None:
    article = next(article for article in load_articles() if article.article_id == "help-shipping-cost-en")
    assert f"€{SHIPPING}" in article.body
    assert f"€{FREE_SHIPPING_FROM} or more ship free" in article.body


def test_questions_are_about_articles_and_do_not_repeat_their_titles(world: World) -> None:
    titles = {(article.translation_of, article.language): article.title.lower() for article in load_articles()}
    assert {f"help-{topic}" for topic in world.phrases.questions} == {topic for topic, _ in titles}
    for topic, phrasing in world.phrases.questions.items():
        for language in ("en", "zh"):
            assert len(phrasing[language]) >= 3
            assert titles[f"help-{topic}", language] not in {text.lower() for text in phrasing[language]}


def test_every_kind_can_be_searched_for_in_both_languages(world: World) -> None:
    for kind in world.catalog.kinds.values():
        assert kind.searches["en"]
        assert all(HAN.search(query) for query in kind.searches["zh"])


def test_types_of_shoppers_want_what_is_sold(world: World) -> None:
    assert sum(kind.share for kind in world.types) == pytest.approx(1)
    for kind in world.types:
        assert kind.kinds.keys() <= world.catalog.kinds.keys()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("brand: Mill", "brand: Nobody"), "Nobody"),
        (("colour: red", "colour: reddish"), "reddish"),
        (("price: 9", "price: free"), "price"),
        (("stock: 3", "stok: 3"), "stock"),
    ],
)
def test_a_mistake_in_a_file_is_named(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    text = """
category: {id: toys, en: Toys, zh: 玩具}
brands: {Mill: 磨坊}
kinds:
  tops:
    name: {en: Tops, zh: 陀螺, one: top}
    about: {en: Spins., zh: 会转。}
    shared: {}
    search: {en: [top], zh: [陀螺]}
    models:
    - {id: one, brand: Mill, name: [One, 一号], price: 9, stock: 3, colour: red, en: Fast., zh: 快。}
"""
    (tmp_path / "catalog").mkdir()
    (tmp_path / "vocabulary.yaml").write_text("names: {colour: 颜色}\nvalues: {red: 红色}\n")
    file = tmp_path / "catalog" / "toys.yaml"
    file.write_text(text)
    assert load_catalog(tmp_path).products[0].title == {"en": "Mill One top", "zh": "磨坊 一号 陀螺"}
    file.write_text(text.replace(*change))
    with pytest.raises(ConfigurationError, match=said):
        load_catalog(tmp_path)
