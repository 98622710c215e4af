"""A product as the recommender keeps it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from rapport.events.catalog import ProductUpserted, in_language


@dataclass(frozen=True, slots=True)
class Product:
    product_id: str
    titles: Mapping[str, str]
    """By language."""
    category: tuple[str, ...]
    """Path from the root."""
    available: bool
    """In stock (or not counted) and not hidden."""
    text: str
    """What is embedded."""
    arrived_ms: int | None = None
    """When it came into a shop that was open already; None: it was there from the beginning, or that is not known."""
    brand: str = ""
    price: float | None = None
    currency: str = ""
    stock: int | None = None
    """Pieces; None: not counted."""
    attributes: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    complements: tuple[str, ...] = ()
    """Products that go with it, by the shop's word."""
    substitutes: tuple[str, ...] = ()
    band: int | None = field(init=False)
    """The number of its price band; None: without a price."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "band", None if self.price is None else price_band(self.price))

    @property
    def shelf(self) -> str:
        """The most special category; "" for none."""
        return self.category[-1] if self.category else ""

    def title(self, language: str | None) -> str:
        return in_language(dict(self.titles), language)

    def within(self, category: str) -> bool:
        """Whether `category` is on its path, whatever the case of the letters."""
        return category.casefold() in (part.casefold() for part in self.category)

    def arrived(self, at_ms: int | None) -> Product:
        return replace(self, arrived_ms=at_ms)


def product_of(event: ProductUpserted) -> Product:
    """What the recommender keeps of a catalogue event."""
    return Product(
        event.product_id,
        event.title,
        event.category,
        event.available,
        text_of(event),
        brand=event.brand or "",
        price=None if event.price is None else float(event.price),
        currency=event.currency or "",
        stock=event.stock,
        attributes=event.attributes,
        complements=event.complements,
        substitutes=event.substitutes,
    )


# A decade in three parts of about the same ratio: the 1 - 2.5 - 5 series that the profiler's price bands follow.
_STEPS = (1.0, 2.5, 5.0)


def price_band(price: float) -> int:
    """The number of the band that holds a price: one more is the next dearer band; everything below 1 is band -1."""
    if price < 1:
        return -1
    decade = math.floor(math.log10(price) + 1e-9)
    return 3 * decade + sum(step * 10.0**decade <= price * (1 + 1e-9) for step in _STEPS) - 1


def text_of(event: ProductUpserted) -> str:
    """Titles in all languages, category path, brand and attributes. Price, stock and pictures say nothing of taste,
    and would have a product embedded anew with every sale; descriptions are long and mostly repeat the rest."""
    attributes = ", ".join(f"{name}: {value}" for name, value in sorted(event.attributes.items()))
    titles = " / ".join(event.title[language] for language in sorted(event.title))
    return ". ".join(part for part in (titles, " > ".join(event.category), event.brand, attributes) if part)


def content_hash(text: str) -> bytes:
    """Sixteen bytes that name a text: the same text never needs a second embedding."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
