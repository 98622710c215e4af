"""What copy may state: everything in it that looks like a fact must come from here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from rapport.events.catalog import ProductUpserted, in_language
from rapport.events.content import ContentRequested
from rapport.ops.errors import InvalidRequest
from rapport.text.sentences import split_sentences

_CENT = Decimal("0.01")
_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "CNY": "¥"}
# A catalogue title longer than this is a description in disguise; copy then uses its first part.
_LONG_NAME = 60
_NAME_PARTS = re.compile(r"\s*(?:[,;|(（，；【\[]|\s[-–—]\s)")
_LOOSE_END = re.compile(r"[\d.,/x×-]+|for|with|and|of|in|by|the|or|to|from|on|a|an|&|\W+", re.IGNORECASE)
_UNSEEN = re.compile(r"[\x00-\x1f\x7f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ue000-\uf8ff]+")


@dataclass(frozen=True, slots=True)
class ProductFacts:
    """One product as copy may name it."""

    product_id: str
    name: str
    description: str
    brand: str | None
    price: Decimal | None
    currency: str | None
    sale_price: Decimal | None
    """The price less the brief's discount, rounded half up to cents."""
    short: str = ""
    """The name, or the first part of a long one."""
    attributes: tuple[tuple[str, str], ...] = ()
    category: str = ""
    evidence: str = ""
    """Everything that the catalogue says of it, in every language."""

    def shown(self, amount: Decimal | None) -> str:
        """The amount as customers read it, e.g. €103.20; empty for none."""
        if amount is None or self.currency is None:
            return ""
        symbol = _SYMBOLS.get(self.currency)
        number = f"{amount.quantize(_CENT):f}".removesuffix(".00")
        return f"{symbol}{number}" if symbol else f"{number} {self.currency}"

    @property
    def names(self) -> tuple[str, ...]:
        """What counts as naming it."""
        return (self.name, self.short) if self.short != self.name else (self.name,)

    @property
    def sentences(self) -> tuple[str, ...]:
        """Of the description, in order."""
        return tuple(sentence.text for sentence in split_sentences(self.description))


@dataclass(frozen=True, slots=True)
class Facts:
    """A brief's facts, in the brief's language."""

    language: str
    products: tuple[ProductFacts, ...]
    discount_percent: Decimal | None
    starts_at: datetime | None
    ends_at: datetime | None
    market: str | None = None
    prior_price: Decimal | None = None
    statements: tuple[str, ...] = ()
    link: str | None = None
    personal: Mapping[str, str] = field(default_factory=dict)
    """Consented profile fields by name."""

    @property
    def chinese(self) -> bool:
        return self.language.split("-")[0].lower() == "zh"

    @property
    def code(self) -> str:
        """The language whose rules and templates apply."""
        return self.language.split("-")[0].lower()

    @property
    def discount_text(self) -> str:
        """ "20%", or in Chinese the share that is paid: "8折" (85 % off is written "1.5折")."""
        if self.discount_percent is None:
            return ""
        if self.chinese:
            return f"{plain_number((100 - self.discount_percent) / 10)}折"
        return f"{plain_number(self.discount_percent)}%"

    @property
    def quotable(self) -> tuple[str, ...]:
        """Words that copy may repeat as they stand, besides product names."""
        brands = tuple(product.brand for product in self.products if product.brand)
        described = tuple(text for product in self.products for text in (product.description, *product.sentences))
        bare = tuple(text.rstrip(".。!！") for text in described)
        values = tuple(value for product in self.products for _, value in product.attributes if len(value) > 2)
        return (*brands, *described, *bare, *self.statements, *values, *self.personal.values())

    @property
    def evidence(self) -> str:
        """Everything that is known, for looking words up."""
        return " \n ".join([*(product.evidence for product in self.products), *self.statements])

    def day(self, moment: datetime | None) -> str:
        """The day as customers read it, e.g. 12 March or 3月12日; empty for none."""
        if moment is None:
            return ""
        return f"{moment.month}月{moment.day}日" if self.chinese else f"{moment.day} {moment:%B}"


def facts_of(brief: ContentRequested, products: Mapping[str, ProductUpserted], now: datetime) -> Facts:
    """The facts of `brief`. Raises `InvalidRequest` naming what the brief lacks or contradicts."""
    missing = [product_id for product_id in brief.product_ids if product_id not in products]
    if missing:
        raise InvalidRequest(
            f"not in the catalogue: {', '.join(missing)}", field="product_ids", fix="publish them on catalog.v1 first"
        )
    if not brief.product_ids:
        raise InvalidRequest("at least one product is needed", field="product_ids")
    if brief.ends_at is not None and brief.ends_at <= now:
        raise InvalidRequest(f"the period ended on {brief.ends_at:%Y-%m-%d}", field="ends_at", fix="give a later end")
    told = tuple(_product(products[name], brief) for name in dict.fromkeys(brief.product_ids))
    if brief.discount_percent is not None:
        unpriced = [product.product_id for product in told if product.price is None]
        if unpriced:
            raise InvalidRequest(f"a discount on products without a price: {', '.join(unpriced)}", field="product_ids")
    if brief.kind == "back_in_stock":
        gone = [name for name in brief.product_ids if not products[name].available]
        if gone:
            raise InvalidRequest(f"not in stock: {', '.join(gone)}", field="product_ids")
    return Facts(
        brief.language,
        told,
        brief.discount_percent,
        brief.starts_at,
        brief.ends_at,
        market=brief.market,
        prior_price=brief.prior_price,
        statements=tuple(visible(statement) for statement in brief.statements),
        link=brief.link,
    )


def visible(text: str) -> str:
    """Without characters that nobody sees (direction marks, zero-width spaces, private use), in single spaces."""
    return " ".join(_UNSEEN.sub(" ", text).split())


def plain_number(number: Decimal) -> str:
    """20.00 is written 20."""
    return f"{number.normalize():f}"


def _product(product: ProductUpserted, brief: ContentRequested) -> ProductFacts:
    discount, sale = brief.discount_percent, None
    if product.price is not None and discount is not None:
        sale = (product.price * (100 - discount) / 100).quantize(_CENT, ROUND_HALF_UP)
    name = visible(in_language(product.title, brief.language).replace("**", " "))
    if not name:
        raise InvalidRequest(f"{product.product_id} has no readable title", field="product_ids")
    attributes = tuple(
        (key, visible(str(value))) for key, value in product.attributes.items() if not isinstance(value, bool)
    )
    yes = [key for key, value in product.attributes.items() if value is True]
    told = [
        *product.title.values(), *product.description.values(), *product.category, product.brand or "",
        *(f"{key.replace('_', ' ')} {value}" for key, value in attributes), *yes,
    ]  # fmt: skip
    return ProductFacts(
        product.product_id,
        name,
        visible(in_language(product.description, brief.language)),
        visible(product.brand) if product.brand else None,
        product.price,
        product.currency,
        sale,
        short=_short(name),
        attributes=attributes,
        category=product.category[-1] if product.category else "",
        evidence=" . ".join(visible(text) for text in told),
    )


def _short(name: str) -> str:
    if len(name) <= _LONG_NAME:
        return name
    first = _NAME_PARTS.split(name)[0]
    if 8 <= len(first) <= _LONG_NAME:
        return first
    words = name[: _LONG_NAME + 1].rsplit(" ", 1)[0].split(" ")
    # "Spray 6.8" of "Spray 6.8 Oz" would be another size, "Cream for" no name at all.
    while len(words) > 1 and _LOOSE_END.fullmatch(words[-1]):
        words.pop()
    short = " ".join(words).rstrip(" .:;-&/")
    return short if len(short) <= _LONG_NAME else name[:_LONG_NAME]
