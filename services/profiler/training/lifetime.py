"""Fits BG/NBD and Gamma-Gamma with pymc-marketing: the mode under flat priors, which is the maximum likelihood."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rapport.ops.errors import ModelError, StateConflict
from services.profiler.domain.customer import Customer
from services.profiler.learning.lifetime import Lifetime
from services.profiler.learning.outlook import columns

Column = npt.NDArray[np.float64]
# Fewer buyers, or fewer who came back, leave the parameters to chance.
LEAST_BUYERS, LEAST_REPEATERS = 100, 30
# The optimiser starts at 1 for every parameter: weeks keep alpha near that, days would not.
_DAYS_A_WEEK = 7.0


@dataclass(frozen=True, slots=True)
class Histories:
    """Of all buyers, [n] each, as `outlook.columns` has them: days and money."""

    x: Column
    t_x: Column
    age: Column
    mean: Column
    currency: str


@dataclass(frozen=True, slots=True)
class FittedLifetime:
    model: Lifetime
    metrics: Mapping[str, float]


def histories(customers: Sequence[Customer]) -> Histories:
    """Raises `StateConflict` when too few have bought."""
    buyers = [each for each in customers if each.learned.buying.orders]
    if not buyers:
        raise StateConflict("nobody has bought yet", fix="let the profiler run on orders first")
    currencies = [each.value.currency or "" for each in buyers]
    # Everybody is seen from the same moment: the newest event of all.
    now = max(each.last_seen_at for each in customers)
    x, t_x, age, mean = columns([(each.learned.buying, now) for each in buyers])
    repeaters = int((x > 0).sum())
    if len(buyers) < LEAST_BUYERS or repeaters < LEAST_REPEATERS:
        raise StateConflict(
            f"{len(buyers)} buyers, {repeaters} of them more than once",
            fix=f"wait for more orders: {LEAST_BUYERS} and {LEAST_REPEATERS} are needed",
        )
    return Histories(x, t_x, age, mean, max(set(currencies), key=currencies.count))


def fit_lifetime(known: Histories, horizon_days: float) -> FittedLifetime:
    """A minute or two, most of it compilation. Raises `ModelError` when no parameters fit."""
    orders = fit_orders(known.x, known.t_x / _DAYS_A_WEEK, known.age / _DAYS_A_WEEK)
    worth = fit_worth(known.x, known.mean)
    model = Lifetime(
        r=orders["r"],
        alpha=orders["alpha"] * _DAYS_A_WEEK,
        a=orders["a"],
        b=orders["b"],
        p=worth["p"],
        q=worth["q"],
        v=worth["v"],
        horizon_days=horizon_days,
        currency=known.currency,
    )
    alive = float(model.alive(known.x, known.t_x, known.age).mean())
    metrics = {
        "buyers": float(len(known.x)),
        "repeaters": float((known.x > 0).sum()),
        "mean_alive": round(alive, 4),
    }
    return FittedLifetime(model, metrics | {name: round(value, 4) for name, value in (orders | worth).items()})


def fit_orders(x: Column, t_x: Column, age: Column) -> dict[str, float]:
    """BG/NBD's r, alpha, a and b, in the unit of time of `t_x` and `age`. Raises `ModelError`."""
    from pymc_marketing.clv import BetaGeoModel

    data = {"frequency": x, "recency": t_x, "T": age}
    return _mode(BetaGeoModel, data, ("r", "alpha", "a", "b"))


def fit_worth(x: Column, mean: Column) -> dict[str, float]:
    """Gamma-Gamma's p, q and v from those who came back. Raises `ModelError`."""
    from pymc_marketing.clv import GammaGammaModel

    able = (x > 0) & (mean > 0)
    return _mode(GammaGammaModel, {"frequency": x[able], "monetary_value": mean[able]}, ("p", "q", "v"))


def _mode(model: Any, data: Mapping[str, Column], names: Sequence[str]) -> dict[str, float]:
    import pandas as pd
    from pymc_extras.prior import Prior  # type: ignore[import-untyped]

    logging.getLogger("pymc").setLevel(logging.ERROR)
    frame = pd.DataFrame({"customer_id": np.arange(len(next(iter(data.values())))), **data})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is no BLAS to link: nothing here multiplies matrices
        fitted = model(data=frame, model_config={name: Prior("HalfFlat") for name in names})
        fitted.fit(method="map", progressbar=False)
        summary = fitted.fit_summary()
    found = {name: float(summary[name]) for name in names}
    if not all(np.isfinite(value) and value > 0 for value in found.values()):
        raise ModelError(f"no parameters fit these orders: {found}")
    return found
