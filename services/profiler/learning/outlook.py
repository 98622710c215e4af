"""Tells of each customer who has ordered whether they will again, and how much that is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rapport.bus.messages import Outgoing
from rapport.events.profiles import Outlook
from services.profiler.domain.customer import Customer, Insight
from services.profiler.domain.learned import Buying
from services.profiler.domain.observation import Observation
from services.profiler.learning.lifetime import Lifetime
from services.profiler.learning.visits import count_order
from services.profiler.observers import Observer, Touched

_DAY_MS = 86_400_000.0


class OutlookObserver(Observer):
    """Counts the orders in any case; tells of the outlook once there is a fitted model."""

    def __init__(self) -> None:
        self._model: Lifetime | None = None
        self._said: dict[int, Outlook] = {}

    def use(self, model: Lifetime | None) -> None:
        """From the next batch on."""
        self._model = model

    def see(self, customer: Customer, seen: Observation, insight: Insight | None) -> None:
        del insight
        if seen.order is not None:
            count_order(customer, seen)

    def finish(self, touched: Sequence[Touched]) -> Sequence[Outgoing]:
        """All buyers of the batch in one go."""
        self._said = {}
        buyers = [each.customer for each in touched if each.customer.learned.buying.orders]
        if self._model is not None and buyers:
            said = outlooks(self._model, buyers)
            self._said = {id(buyer): outlook for buyer, outlook in zip(buyers, said, strict=True)}
        return ()

    def describe(self, customer: Customer) -> Mapping[str, Any]:
        said = self._said.pop(id(customer), None)
        if said is None and self._model is not None and customer.learned.buying.orders:
            said = outlooks(self._model, [customer])[0]
        return {"outlook": said}


def outlooks(model: Lifetime, buyers: Sequence[Customer]) -> list[Outlook]:
    """As of each buyer's newest event. All of them have ordered."""
    x, t_x, age, mean = columns([(buyer.learned.buying, buyer.last_seen_at) for buyer in buyers])
    days = model.horizon_days
    alive, quiet = model.alive(x, t_x, age), model.quiet(x, t_x, age, days)
    orders = np.maximum(model.expected_orders(x, t_x, age, days), 0.0)
    money = orders * model.order_value(x, mean)
    return [
        Outlook(
            alive=float(alive[row]),
            churn_risk=float(quiet[row]),
            expected_orders=round(float(orders[row]), 4),
            expected_value=round(float(money[row]), 2),
            horizon_days=days,
            model_version=model.version,
        )
        for row in range(len(buyers))
    ]


def columns(
    buyings: Sequence[tuple[Buying, int]],
) -> tuple[np.ndarray[Any, np.dtype[np.float64]], ...]:
    """x, t_x, T and mean order value after the first, [n] each, of order histories and the moments to see them from."""
    rows = []
    for buying, now in buyings:
        first, last = buying.first_at or now, buying.last_at or now
        repeats = buying.orders - 1
        rows.append(
            (
                repeats,
                (last - first) / _DAY_MS if repeats else 0.0,
                max(0, now - first) / _DAY_MS,
                buying.spent / repeats if repeats else 0.0,
            )
        )
    return tuple(np.array(rows, dtype=np.float64).T)
