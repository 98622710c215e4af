"""BG/NBD and Gamma-Gamma: the closed forms, and what the profile tells of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rapport.ops.errors import StateConflict
from rapport.testing import ordered, viewed
from services.profiler.learning.lifetime import Column, Lifetime
from services.profiler.learning.outlook import OutlookObserver
from services.profiler.training.lifetime import LEAST_BUYERS, LEAST_REPEATERS, histories
from tests.unit.profiler.conftest import Shop

# Published for CDNOW, in weeks: Fader, Hardie and Lee 2005; Fader and Hardie 2013.
CDNOW = Lifetime(0.243, 4.414, 0.793, 2.426, 6.25, 3.74, 15.44, 39.0, "USD", "v1")
Columns = tuple[Column, Column, Column]


def one(x: float, t_x: float, age: float) -> Columns:
    return np.array([x]), np.array([t_x]), np.array([age])


def test_the_worked_example_of_the_paper() -> None:
    """x = 2, t_x = 30.43, T = 38.86: 1.226 orders are expected in the next 39 weeks."""
    assert CDNOW.expected_orders(*one(2, 30.43, 38.86), 39)[0] == pytest.approx(1.226, abs=0.001)


def test_the_worth_of_an_order_lies_between_one_s_own_and_everybody_s() -> None:
    everybody = CDNOW.order_value(np.array([0.0]), np.array([0.0]))[0]
    assert everybody == pytest.approx(6.25 * 15.44 / 2.74)
    few, many = CDNOW.order_value(np.array([1.0, 50.0]), np.array([100.0, 100.0]))
    assert everybody < few < many < 100


def test_silence_raises_the_churn_risk_and_an_order_lowers_it() -> None:
    ages = np.array([10.0, 20.0, 40.0])
    risk = CDNOW.quiet(np.full(3, 5.0), np.full(3, 9.0), ages, 13)
    assert list(risk) == sorted(risk)
    assert CDNOW.quiet(*one(6, 40, 40), 13)[0] < risk[-1]


def test_churn_risk_agrees_with_a_simulation_of_the_model() -> None:
    """Customers drawn from the model's own assumptions; those with one repeat order by week 20."""
    dice, n, weeks, ahead = np.random.default_rng(0), 200_000, 20.0, 13.0
    rate = dice.gamma(CDNOW.r, 1 / CDNOW.alpha, n)
    leaves = dice.beta(CDNOW.a, CDNOW.b, n)
    first = dice.exponential(1 / rate)
    second = first + dice.exponential(1 / rate)
    able = (first < weeks) & (first > 8) & (first < 12)  # one repeat around week 10 …
    stayed = dice.random(n) > leaves
    seen = able & ~(stayed & (second < weeks))  # … and no other until week 20
    quiet = ~(stayed & (second < weeks + ahead))
    expected = CDNOW.quiet(*one(1, 10, weeks), ahead)[0]
    assert quiet[seen].mean() == pytest.approx(expected, abs=0.02)


async def test_the_profile_tells_the_outlook_of_buyers_only(shop: Shop, tmp_path: Path) -> None:
    CDNOW.save(tmp_path)
    observer = OutlookObserver()
    observer.use(Lifetime.load(tmp_path, "v2"))
    shop.ports = replace(shop.ports, observers=(observer,))
    assert (await shop.happen(viewed("c1", "running-1"))).outlook is None
    await shop.happen(ordered("c1", "o1", "running-1", total="40.00"), days=1)
    await shop.happen(ordered("c1", "o2", "running-1", total="60.00"), days=8)
    again = await shop.happen(ordered("c1", "o2", "running-1", total="60.00"), days=8.5)
    later = await shop.happen(viewed("c1", "running-1"), days=90)
    assert shop.kept("c1").learned.buying.orders == 2
    assert again.outlook is not None
    assert later.outlook is not None
    assert later.outlook.churn_risk > again.outlook.churn_risk
    assert later.outlook.expected_value > 0
    assert later.outlook.model_version == "v2"


async def test_histories_are_seen_from_the_newest_event_of_anybody(shop: Shop) -> None:
    shop.ports = replace(shop.ports, observers=(OutlookObserver(),))
    for number in range(LEAST_BUYERS):
        who = f"u{number}"
        await shop.happen(ordered(who, f"{who}-1", "running-1", total="40.00"), days=number % 5)
        if number < LEAST_REPEATERS:
            await shop.happen(ordered(who, f"{who}-2", "running-1", total="60.00"), days=10)
    customers = [shop.kept(f"u{number}") for number in range(LEAST_BUYERS)]
    with pytest.raises(StateConflict, match=f"{LEAST_BUYERS - 1} buyers"):
        histories(customers[1:])
    with pytest.raises(StateConflict, match="nobody"):
        histories([])
    known = histories(customers)
    assert (len(known.x), known.x.sum(), known.currency) == (LEAST_BUYERS, LEAST_REPEATERS, "EUR")
    assert known.age[4] == pytest.approx(6, abs=0.01)
    assert known.mean[0] == 60
