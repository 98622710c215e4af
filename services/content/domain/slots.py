"""The slots that templates may use, their types, and their values for a brief."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from services.content.domain.facts import Facts, ProductFacts

Slots = dict[str, Any]
SLOTS: Mapping[str, str] = MappingProxyType({
    "product": "product: name, short, brand (empty where the name has it), description, first_sentence, category",
    "others": "list of texts: names of the further products",
    "price": "money: the price, without the discount",
    "sale_price": "money: the price less the discount",
    "was": "money: the price before, where the market lets it be told",
    "saving": "money: price less sale price",
    "discount": "discount: 20%, in Chinese 8折",
    "starts": "day", "ends": "day",
    "need": "text: the interest that a recommendation serves",
    "statements": "list of texts: what the marketer vouches for",
    "personal": "texts by field name: consented profile fields that the brief asked for",
    "words": "text: what the language model wrote",
})  # fmt: skip


def slots_of(facts: Facts, *, words: str = "", need: str = "", reference: bool = True) -> Slots:
    """`reference`: whether the price before may be told."""
    first = facts.products[0]
    on_sale = first.sale_price is not None and first.price is not None
    saving = first.price - first.sale_price if first.price is not None and first.sale_price is not None else None
    return {
        "product": _product(first),
        "others": [product.short for product in facts.products[1:]],
        "price": first.shown(first.price),
        "sale_price": first.shown(first.sale_price),
        "was": first.shown(first.price) if on_sale and reference else "",
        "saving": first.shown(saving),
        "discount": facts.discount_text,
        "starts": facts.day(facts.starts_at),
        "ends": facts.day(facts.ends_at),
        "need": need,
        "statements": list(facts.statements),
        "personal": {**_NOBODY, **facts.personal},
        "words": words,
    }


PERSONAL_FIELDS: Mapping[str, str] = MappingProxyType({
    "first_name": "as given by the shop (identify trait first_name)",
    "top_category": "the category looked at most",
    "top_brand": "the brand looked at most",
})  # fmt: skip
_NOBODY = dict.fromkeys(PERSONAL_FIELDS, "")


def _product(product: ProductFacts) -> Mapping[str, str]:
    # "Fernhill Trail Runner by Fernhill" says nothing: a name that has its brand stands alone.
    brand = product.brand if product.brand and product.brand.lower() not in product.name.lower() else ""
    return MappingProxyType({
        "name": product.name, "short": product.short, "brand": brand, "description": product.description,
        "first_sentence": next(iter(product.sentences), ""), "category": product.category,
    })  # fmt: skip


def sample_facts(language: str) -> Sequence[Facts]:
    """Made-up facts: with everything, without an offer, and with a name alone."""
    shoe = ProductFacts(
        "p-1",
        "Trail Runner 2",
        "Grip for wet ground.",
        "Fernhill",
        Decimal(129),
        "EUR",
        None,
        "Trail Runner 2",
        (),
        "Shoes",
        "",
    )
    if language == "zh":
        shoe = replace(shoe, name="越野跑鞋二代", short="越野跑鞋二代", description="湿地也防滑。", category="跑鞋")
    start, end = datetime(2030, 3, 1, tzinfo=UTC), datetime(2030, 3, 12, tzinfo=UTC)
    sale = replace(shoe, sale_price=Decimal("103.20"))
    everything = Facts(
        language, (sale, shoe), Decimal(20), start, end, statements=("Made in Leeds.",), personal={"first_name": "Ada"}
    )
    bare = replace(shoe, description="", brand=None, price=None, currency=None)
    return everything, Facts(language, (shoe,), None, None, None), Facts(language, (bare,), None, None, None)
