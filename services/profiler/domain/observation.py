"""What one behaviour event says of a customer, in the profile's own terms."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import IntEnum


class Stage(IntEnum):
    """How far towards buying; a session's stage is the farthest one reached in it."""

    BROWSE = 0
    CONSIDER = 1
    CART = 2
    CHECKOUT = 3
    PURCHASE = 4


@dataclass(frozen=True, slots=True)
class Product:
    """What is known of a product. Any part may be missing."""

    title: str = ""
    category: str = ""
    """The last part of its path: the kind of thing it is."""
    brand: str = ""
    price: Decimal | None = None
    currency: str = ""
    regular: Decimal | None = None
    """What it costs by the catalogue; `price` may be what this customer was shown."""
    attributes: tuple[str, ...] = ()
    """"colour: red"."""

    @property
    def reduced(self) -> bool:
        """Shown for less than the catalogue's price."""
        return self.price is not None and self.regular is not None and self.price < self.regular

    @property
    def text(self) -> str:
        """What the encoder reads; "" when nothing is known."""
        return ", ".join(part for part in (self.title, self.category, self.brand) if part)

    @property
    def label(self) -> str:
        """What a need for it is called."""
        return self.category or self.title or self.brand


Lookup = Callable[[str], Product | None]
"""The catalogue's knowledge of a product id."""


@dataclass(frozen=True, slots=True)
class Interest:
    """A text that tells what the customer is after."""

    text: str
    weight: float
    """Negative: less of it."""
    label: str
    category: str = ""
    asked: bool = False
    """The customer's own search words."""


@dataclass(frozen=True, slots=True)
class Order:
    order_id: str
    total: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Refund:
    order_id: str
    amount: Decimal | None
    """None: the whole order."""
    currency: str | None


@dataclass(frozen=True, slots=True)
class Observation:
    """One event, read. Empty parts say nothing."""

    event_id: str
    source: str
    at: int
    """Event time."""
    stage: Stage
    session_id: str | None = None
    """The shop's own."""
    anonymous_id: str | None = None
    locale: str | None = None
    interests: tuple[Interest, ...] = ()
    affinities: tuple[tuple[str, str, float], ...] = ()
    """Dimension, value, weight."""
    looked_at: tuple[str, ...] = ()
    """Product ids."""
    bought: tuple[str, ...] = ()
    order: Order | None = None
    refund: Refund | None = None
    review: str | None = None
    said: str = ""
    """Words of the customer's own, to tell the language by."""
    kind: str = ""
    """The event's name."""
    device: str | None = None
    priced: int = 0
    """Products looked at whose price is known, and how many of them were reduced."""
    priced_reduced: int = 0
    pieces: int = 0
    """Pieces ordered, how many of them reduced, and pieces sent back."""
    pieces_reduced: int = 0
    pieces_returned: int = 0

    def interested(self, product_id: str, product: Product, weight: float) -> Observation:
        """The same with `weight` more of interest in a product."""
        interests, affinities = self.interests, list(self.affinities)
        if product.text:
            interests = (*interests, Interest(product.text, weight, product.label, product.category))
        band = price_band(product.price, product.currency)
        for dimension, value in (("category", product.category), ("brand", product.brand), ("price_band", band)):
            if value:
                affinities.append((dimension, value, weight))
        affinities.extend(("attribute", attribute, weight) for attribute in product.attributes)
        looked_at = (*self.looked_at, product_id) if weight > 0 else self.looked_at
        priced = int(product.price is not None and product.regular is not None and weight > 0)
        return replace(
            self,
            interests=interests,
            affinities=tuple(affinities),
            looked_at=looked_at,
            priced=self.priced + priced,
            priced_reduced=self.priced_reduced + priced * product.reduced,
        )


# A decade in three parts of about the same ratio, as shops cut their price filters.
_STEPS = (Decimal(1), Decimal("2.5"), Decimal(5), Decimal(10))


@functools.lru_cache(maxsize=10_000)  # shops repeat their prices, and decimals take their time
def price_band(price: Decimal | None, currency: str) -> str:
    """The band of the 1 - 2.5 - 5 series that holds the price, e.g. "100-250 EUR"; "" without a price.

    It needs no list of amounts, so it fits a yen as well as a euro. Everything below 1 is one band.
    """
    if price is None:
        return ""
    if price < 1:
        low, high = Decimal(0), Decimal(1)
    else:
        decade = Decimal(10) ** price.adjusted()
        place = sum(step * decade <= price for step in _STEPS)
        low, high = _STEPS[place - 1] * decade, _STEPS[place] * decade
    return f"{_plain(low)}-{_plain(high)} {currency}".rstrip()


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}"
