"""Tells of each customer who has ordered whether they will again, and how much that is worth."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from rapport.events.profiles import Outlook
from services.profiler.domain.customer import Customer, Insight
from services.profiler.domain.explanation import Breakdown
from services.profiler.domain.learned import Buying
from services.profiler.domain.observation import Observation
from services.profiler.domain.subjects import OUTLOOK
from services.profiler.learning.contributions import packed, unpacked
from services.profiler.learning.lifetime import Lifetime
from services.profiler.learning.prospects import what_if
from services.profiler.learning.visits import count_order
from services.profiler.observers import Observer, Served

INPUTS = "outlook"
"""Under which what it looked at is kept: `columns` of one buyer."""
# A tenth more likely to be gone: what a marketer would do something about.
_TOLD_AGAIN = 0.1
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
        customer.learned.foreseen = self._model is not None

    def age(self, customer: Customer) -> None:
        customer.learned.foreseen = self._model is not None

    def due(self, customers: Sequence[Customer], at: int) -> Collection[int]:
        """Whose churn risk was never told, or has moved by `_TOLD_AGAIN` since."""
        places = [place for place, each in enumerate(customers) if each.learned.buying.orders]
        if self._model is None or not places:
            return ()
        buyings = [(customers[place].learned.buying, customers[place].now) for place in places]
        told, then = (
            self._model.quiet(x, t_x, age, self._model.horizon_days)
            for x, t_x, age, _ in (columns(buyings), columns([(buying, max(at, now)) for buying, now in buyings]))
        )
        return {
            place
            for place, moved in zip(places, (then - told).tolist(), strict=True)
            if moved >= _TOLD_AGAIN or not customers[place].learned.foreseen
        }

    def look(self, customers: Sequence[Customer]) -> None:
        self._said = {}
        buyers = [each for each in customers if each.learned.buying.orders]
        if self._model is not None and buyers:
            said = outlooks(self._model, buyers)
            self._said = {id(buyer): outlook for buyer, outlook in zip(buyers, said, strict=True)}

    def describe(self, customer: Customer) -> Mapping[str, Any]:
        return {"outlook": self._said.pop(id(customer), None)}

    def inputs(self, customer: Customer) -> Mapping[str, bytes]:
        if not customer.learned.buying.orders:
            return {}
        return {INPUTS: packed([float(column[0]) for column in columns([(customer.learned.buying, customer.now)])])}

    def explain(self, subject: str, served: Served) -> Breakdown | None:
        row = unpacked(served.backing.inputs.get(INPUTS, b""))
        if subject not in OUTLOOK or self._model is None or not len(row):
            return None
        return what_if(self._model, subject, row)


def outlooks(model: Lifetime, buyers: Sequence[Customer]) -> list[Outlook]:
    """As of what is known of each buyer. All of them have ordered."""
    x, t_x, age, mean = columns([(buyer.learned.buying, buyer.now) for buyer in buyers])
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
