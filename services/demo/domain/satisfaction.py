"""How pleased a buyer is. Hidden: shows only in stars, words and returns."""

from __future__ import annotations

from random import Random

from services.demo.domain.goods import Catalog, Product
from services.demo.domain.plan import Plan
from services.demo.domain.shopper import Shopper

_LATE = 0.25
_PRICE = 0.3


def quality(plan: Plan, product: Product) -> float:
    """0 to 1, most about 0.7; a few products are duds. Decided by the seed."""
    return plan.random("quality", product.id).betavariate(5, 2)


def satisfaction(
    plan: Plan, catalog: Catalog, shopper: Shopper, product: Product, *, late: bool, dice: Random
) -> float:
    """0 to 1: quality, less a dear price for who minds it, less a late parcel, and luck."""
    price = _PRICE * shopper.price_sensitivity * (catalog.price_position(product) - 0.5)
    pleased = quality(plan, product) - price - (_LATE if late else 0.0) + dice.gauss(0, 0.1)
    return min(1.0, max(0.0, pleased))


def stars(pleased: float) -> int:
    """1 to 5."""
    return min(5, 1 + int(pleased * 5))


def feeling(pleased: float) -> str:
    """good (4 and 5 stars), mixed (3), bad (1 and 2)."""
    return {1: "bad", 2: "bad", 3: "mixed"}.get(stars(pleased), "good")
