"""How much is still to come from a customer: BG/NBD for orders, Gamma-Gamma for what an order is worth.

Sources: Fader, Hardie and Lee 2005, "Counting your customers the easy way" (BG/NBD); Fader and Hardie 2013, "The
Gamma-Gamma model of monetary value". x: orders after the first; t_x: age at the last order; T: age now, all
since the first order, in days. Fitted elsewhere (`training.value`); here are the closed forms:

    P(alive | x, t_x, T)  = 1 / (1 + [x>0] · a / (b + x - 1) · ((α + T) / (α + t_x))^(r + x))
    E[Y(t) | x, t_x, T]   = P(alive) · (a + b + x - 1) / (a - 1)
                            · [1 - ((α+T) / (α+T+t))^(r+x) · ₂F₁(r+x, b+x; a+b+x-1; t / (α+T+t))]
    P(no order in t | …)  = 1 - P(alive) · (1 - ((α + T) / (α + T + t))^(r + x))
    E[M | x, m̄]           = p · (v + x · m̄) / (p · x + q - 1)

The third follows from the model's assumptions: whoever is alive stays so until the next order, and their rate given
the past is Gamma(r + x, α + T).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rapport.models.folder import read_json
from rapport.ops.errors import ModelError

Column = npt.NDArray[np.float64]
_FILE = "lifetime.json"


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Parameters as fitted; times in days, money in the shop's currency. `horizon_days`: what "to come" means."""

    r: float
    alpha: float
    a: float
    b: float
    p: float
    q: float
    v: float
    horizon_days: float
    currency: str = ""
    version: str = ""

    def alive(self, x: Column, t_x: Column, age: Column) -> Column:
        """P(alive), [n]."""
        ratio = ((self.alpha + age) / (self.alpha + t_x)) ** (self.r + x)
        odds = np.where(x > 0, self.a / (self.b + np.maximum(x, 1) - 1) * ratio, 0.0)
        return np.asarray(1 / (1 + odds))

    def expected_orders(self, x: Column, t_x: Column, age: Column, days: float) -> Column:
        """E[orders within `days`], [n]."""
        from scipy.special import hyp2f1

        total = self.a + self.b + x - 1
        decay = ((self.alpha + age) / (self.alpha + age + days)) ** (self.r + x)
        series = hyp2f1(self.r + x, self.b + x, total, days / (self.alpha + age + days))
        return np.asarray(self.alive(x, t_x, age) * total / (self.a - 1) * (1 - decay * series))

    def quiet(self, x: Column, t_x: Column, age: Column, days: float) -> Column:
        """P(no order within `days`), [n]: the churn risk."""
        decay = ((self.alpha + age) / (self.alpha + age + days)) ** (self.r + x)
        return np.asarray(1 - self.alive(x, t_x, age) * (1 - decay))

    def order_value(self, x: Column, mean: Column) -> Column:
        """E[value of an order], [n]; `mean`: of the x orders after the first."""
        return np.asarray(self.p * (self.v + x * mean) / (self.p * x + self.q - 1))

    def save(self, folder: Path) -> None:
        """Writes the parameters into `folder`."""
        (folder / _FILE).write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, version: str) -> Lifetime:
        """Raises `ModelError` when `folder` holds no parameters."""
        facts = read_json(folder / _FILE)
        if not facts:
            raise ModelError(f"no lifetime parameters in {folder}: looked for {_FILE}")
        return cls(**{**facts, "version": version})
