"""What copy may state: everything in it that looks like a fact must come from here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from rapport.events.catalog import ProductUpserted, in_language
from rapport.events.content import ContentRequested
from rapport.ops.errors import InvalidRequest

_CENT = Decimal("0.01")
_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "CNY": "¥"}


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

    def shown(self, amount: Decimal | None) -> str:
        """The amount as customers read it, e.g. €103.20; empty for none."""
        if amount is None or self.currency is None:
            return ""
        symbol = _SYMBOLS.get(self.currency)
        number = f"{amount.quantize(_CENT):f}".removesuffix(".00")
        return f"{symbol}{number}" if symbol else f"{number} {self.currency}"


@dataclass(frozen=True, slots=True)
class Facts:
    """A brief's facts, in the brief's language."""

    language: str
    products: tuple[ProductFacts, ...]
    discount_percent: Decimal | None
    starts_at: datetime | None
    ends_at: datetime | None

    @property
    def chinese(self) -> bool:
        return self.language.split("-")[0].lower() == "zh"

    @property
    def discount_text(self) -> str:
        """ "20%", or in Chinese the share that is paid: "8折" (85 % off is not written so: "1.5折")."""
        if self.discount_percent is None:
            return ""
        if self.chinese:
            return f"{_plain((100 - self.discount_percent) / 10)}折"
        return f"{_plain(self.discount_percent)}%"

    def day(self, moment: datetime | None) -> str:
        """The day as customers read it, e.g. 12 March or 3月12日; empty for none."""
        if moment is None:
            return ""
        return f"{moment.month}月{moment.day}日" if self.chinese else f"{moment.day} {moment:%B}"


def facts_of(brief: ContentRequested, products: dict[str, ProductUpserted]) -> Facts:
    """The facts of `brief`. Raises `InvalidRequest` naming products that the catalogue does not have."""
    missing = [product_id for product_id in brief.product_ids if product_id not in products]
    if missing:
        raise InvalidRequest(
            f"not in the catalogue: {', '.join(missing)}", field="product_ids", fix="publish them on catalog.v1 first"
        )
    if not brief.product_ids:
        raise InvalidRequest("at least one product is needed", field="product_ids")
    told = tuple(_product(products[name], brief.language, brief.discount_percent) for name in brief.product_ids)
    if brief.discount_percent is not None:
        unpriced = [product.product_id for product in told if product.price is None]
        if unpriced:
            raise InvalidRequest(f"a discount on products without a price: {', '.join(unpriced)}", field="product_ids")
    return Facts(brief.language, told, brief.discount_percent, brief.starts_at, brief.ends_at)


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers that copy may contain besides those in names and descriptions, by what they measure."""

    percent: frozenset[Decimal]
    zhe: frozenset[Decimal]
    """Chinese discounts: the share paid, in tenths."""
    money: frozenset[Decimal]
    dates: frozenset[Decimal]


def allowed_numbers(facts: Facts) -> Numbers:
    """What the brief's discount, prices and period allow."""
    prices = {amount for product in facts.products for amount in (product.price, product.sale_price)}
    off = facts.discount_percent
    days = [moment for moment in (facts.starts_at, facts.ends_at) if moment is not None]
    return Numbers(
        percent=_normal([off]),
        zhe=_normal([None if off is None else (100 - off) / 10]),
        money=_normal(prices),
        dates=_normal(Decimal(part) for moment in days for part in (moment.day, moment.month, moment.year)),
    )


def _normal(numbers: Iterable[Decimal | None]) -> frozenset[Decimal]:
    return frozenset(number.normalize() for number in numbers if number is not None)


def names(facts: Facts) -> Sequence[str]:
    """Product and brand names, longest first."""
    every = {product.name for product in facts.products} | {p.brand for p in facts.products if p.brand}
    return sorted(every, key=len, reverse=True)


def _product(product: ProductUpserted, language: str, discount: Decimal | None) -> ProductFacts:
    sale = None
    if product.price is not None and discount is not None:
        sale = (product.price * (100 - discount) / 100).quantize(_CENT, ROUND_HALF_UP)
    name, description = in_language(product.title, language), in_language(product.description, language)
    return ProductFacts(product.product_id, name, description, product.brand, product.price, product.currency, sale)


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
