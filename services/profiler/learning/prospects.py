"""Why a buyer's outlook is what it is: what each thing known of them changes by itself.

BG/NBD is no sum of its inputs, so each is asked for alone: the outlook as it is, less what it would be

    repeat_orders      had they ordered once, at the beginning
    days_since_order   had the last order been just now
    order_value        were their orders worth what anybody's are
"""

from __future__ import annotations

import numpy as np

from services.profiler.domain.explanation import Breakdown, Contribution
from services.profiler.learning.contributions import heaviest_first
from services.profiler.learning.lifetime import Column, Lifetime

_UNITS = {"expected_orders": "orders", "expected_value": "money"}


def what_if(model: Lifetime, subject: str, row: Column) -> Breakdown:
    """`subject`: a field of the outlook; `row`: x, t_x, T and mean order value of one buyer, in days and money."""
    x, t_x, age, mean = (float(number) for number in row)
    now = _told(model, subject, x, t_x, age, mean)
    # Who ordered once had that order at the beginning: just now means a beginning just now.
    ordered_now = (x, age, age, mean) if x else (0.0, 0.0, 0.0, mean)
    parts = [
        Contribution("repeat_orders", x, now - _told(model, subject, 0.0, 0.0, age, mean)),
        Contribution("days_since_order", age - t_x, now - _told(model, subject, *ordered_now)),
    ]
    if subject == "expected_value" and x:
        typical = model.p * model.v / (model.q - 1)
        parts.append(Contribution("order_value", mean, now - _told(model, subject, x, t_x, age, typical)))
    return Breakdown(_UNITS.get(subject, "probability"), 0.0, heaviest_first(parts), model.version)


def _told(model: Lifetime, subject: str, x: float, t_x: float, age: float, mean: float) -> float:
    repeats, last, whole = (np.array([number]) for number in (x, t_x, age))
    if subject == "alive":
        return float(model.alive(repeats, last, whole)[0])
    if subject == "churn_risk":
        return float(model.quiet(repeats, last, whole, model.horizon_days)[0])
    orders = max(0.0, float(model.expected_orders(repeats, last, whole, model.horizon_days)[0]))
    if subject == "expected_orders":
        return orders
    return orders * float(model.order_value(repeats, np.array([mean]))[0])
