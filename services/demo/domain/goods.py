"""What the shop sells, as the simulation and the events see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from rapport.events.behaviour import ProductFields
from rapport.events.catalog import ProductUpserted

CURRENCY = "EUR"
LANGUAGES = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of product, such as trail running shoes: what a need is about."""

    id: str
    name: Mapping[str, str]
    category: Mapping[str, str]
    searches: Mapping[str, tuple[str, ...]]
    """By language: what people type who look for it."""


@dataclass(frozen=True, slots=True)
class Product:
    """One article of the shop. Texts are by language."""

    id: str
    kind: Kind
    brand: str
    title: Mapping[str, str]
    description: Mapping[str, str]
    price: Decimal
    stock: int
    attributes: Mapping[str, str | int | float | bool]

    def upserted(self) -> ProductUpserted:
        """The event that puts it into the catalogue."""
        return ProductUpserted(
            product_id=self.id,
            title=dict(self.title),
            description=dict(self.description),
            category=(self.kind.category["en"], self.kind.name["en"]),
            brand=self.brand,
            price=self.price,
            currency=CURRENCY,
            stock=self.stock,
            attributes=dict(self.attributes),
        )

    def seen(self, language: str) -> ProductFields:
        """How a behaviour event mentions it."""
        return ProductFields(
            product_id=self.id,
            name=self.title[language],
            category=self.kind.name["en"],
            brand=self.brand,
            price=self.price,
            currency=CURRENCY,
        )


@dataclass(frozen=True)
class Catalog:
    """All products, in the order of the files."""

    products: tuple[Product, ...]
    by_kind: Mapping[str, tuple[Product, ...]] = field(init=False)
    kinds: Mapping[str, Kind] = field(init=False)

    def __post_init__(self) -> None:
        kinds = {product.kind.id: product.kind for product in self.products}
        grouped = {kind: tuple(p for p in self.products if p.kind.id == kind) for kind in kinds}
        object.__setattr__(self, "kinds", kinds)
        object.__setattr__(self, "by_kind", grouped)

    def price_position(self, product: Product) -> float:
        """0 for the cheapest of its kind, 1 for the dearest."""
        prices = [float(other.price) for other in self.by_kind[product.kind.id]]
        low, high = min(prices), max(prices)
        return (float(product.price) - low) / (high - low) if high > low else 0.5
