"""One shopper, with what nobody can see: tastes, price sensitivity, habits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from services.demo.domain.plan import Plan
from services.demo.domain.world import World

# Share of shoppers whose interest moves on, and the span between moves in days of the shop.
_DRIFTING, _DRIFT_DAYS = 0.4, (20.0, 60.0)
# How strongly brands are preferred: the spread of a log-normal weight.
_BRAND_SPREAD = 0.7
_COLOURS = ("black", "white", "grey", "blue", "green", "red", "natural", "orange", "pink", "brown")


@dataclass(frozen=True, slots=True)
class Shopper:
    """Hidden traits. `name` is the part that the ids are made of."""

    name: str
    first_type: str
    language: str
    device: str
    price_sensitivity: float
    """0 to 1."""
    brands: Mapping[str, float]
    """Weights around 1."""
    colour: str
    """The favourite."""
    activity: float
    """How often here, 0.1 to 1."""
    drift_days: float | None
    """Days of the shop between changes of interest; none: never."""
    drift_phase: float
    """Where between two changes the shopper was at the epoch, 0 to 1."""

    @property
    def customer_id(self) -> str:
        return f"c-{self.name}"

    @property
    def anonymous_id(self) -> str:
        return f"a-{self.name}"

    @property
    def locale(self) -> str:
        return {"en": "en-GB", "zh": "zh-CN"}[self.language]


def make_shopper(world: World, plan: Plan, name: str) -> Shopper:
    """The shopper of this name: decided by the seed alone."""
    dice = plan.random("shopper", name)
    kind = dice.choices(world.types, [kind.share for kind in world.types])[0]
    brands = sorted({product.brand for product in world.catalog.products})
    return Shopper(
        name=name,
        first_type=kind.name,
        language="zh" if dice.random() < world.chinese else "en",
        device=dice.choices(list(world.devices), list(world.devices.values()))[0],
        price_sensitivity=_around(dice, kind.price),
        brands={brand: dice.lognormvariate(0, _BRAND_SPREAD) for brand in brands},
        colour=dice.choice(_COLOURS),
        activity=max(0.1, dice.betavariate(2, 4)),
        drift_days=dice.uniform(*_DRIFT_DAYS) if dice.random() < _DRIFTING else None,
        drift_phase=dice.random(),
    )


def _around(dice: Random, mean: float) -> float:
    return min(1.0, max(0.0, dice.gauss(mean, 0.15)))
