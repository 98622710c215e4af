"""Which product of several a shopper goes for: also what a simulated click on a recommendation is decided by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

from services.demo.domain.goods import Catalog, Product
from services.demo.domain.interest import Interest
from services.demo.domain.shopper import Shopper

# Weight of the dearest against the cheapest of a kind, for a shopper who looks at nothing but price: e^-2.
_PRICE_STEEPNESS = 2.0
_FAVOURITE_COLOUR = 1.6


def appeal(shopper: Shopper, interest: Interest, product: Product, catalog: Catalog) -> float:
    """How much the shopper likes it: kind × brand × price × colour. 0 and up, comparable between all products."""
    return interest.kinds.get(product.kind.id, 0.0) * liking(shopper, product, catalog)


def liking(shopper: Shopper, product: Product, catalog: Catalog) -> float:
    """As `appeal`, for somebody who wants this kind of product anyway."""
    price = math.exp(-_PRICE_STEEPNESS * shopper.price_sensitivity * catalog.price_position(product))
    colour = _FAVOURITE_COLOUR if product.attributes.get("colour") == shopper.colour else 1.0
    return shopper.brands[product.brand] * price * colour


def pick(shopper: Shopper, products: Sequence[Product], number: int, catalog: Catalog, dice: Random) -> list[Product]:
    """Up to `number` different products, the liked ones more likely and earlier."""
    # Exponential keys: the smallest are a weighted sample without replacement (Efraimidis and Spirakis 2006).
    keys = [(dice.expovariate(1.0) / liking(shopper, product, catalog), product.id) for product in products]
    chosen = {product_id for _, product_id in sorted(keys)[:number]}
    order = {product_id: key for key, product_id in keys}
    return sorted((product for product in products if product.id in chosen), key=lambda product: order[product.id])
