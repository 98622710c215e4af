"""How a shopper takes a list of recommendations: what they look at, and what they click. Hidden, like their tastes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

from services.demo.domain.choice import appeal
from services.demo.domain.goods import Catalog, Product
from services.demo.domain.interest import Interest
from services.demo.domain.shopper import Shopper

# A place is looked at with probability 1 / (1 + place): the third half as often as people think.
# A product of a kind that the shopper is after half of the time, of a usual brand and price, is clicked by four in ten.
_KEENNESS = 1.0


def examined(place: int) -> float:
    """The probability that a place (from 0) is looked at."""
    return 1.0 / (1.0 + place)


def click_chance(shopper: Shopper, interest: Interest, product: Product, catalog: Catalog) -> float:
    """The probability that a product that is looked at is clicked."""
    return 1.0 - math.exp(-_KEENNESS * appeal(shopper, interest, product, catalog))


def clicks(
    shopper: Shopper, interest: Interest, shown: Sequence[Product], catalog: Catalog, dice: Random
) -> list[Product]:
    """What is clicked of a list, this time."""
    return [
        product
        for place, product in enumerate(shown)
        if dice.random() < examined(place) * click_chance(shopper, interest, product, catalog)
    ]
