"""Propensity: learned from outcomes as they become known, and calibrated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rapport.events.behaviour import ProductAdded
from rapport.testing import ordered, viewed
from services.profiler.domain.rules import MINUTE_MS
from services.profiler.learning.logistic import OnlineLogistic, Rows
from services.profiler.learning.pending import Pending
from services.profiler.learning.propensity import PropensityObserver
from services.profiler.learning.watermark import Watermark
from tests.unit.profiler.conftest import Shop

GAP = 30 * MINUTE_MS


def taught(examples: int, seed: int = 0) -> tuple[OnlineLogistic, Rows, Rows]:
    """A model that saw `examples` of a world where the first input decides, and unseen inputs with their true odds."""
    dice = np.random.default_rng(seed)
    model = OnlineLogistic.untaught(4)
    for _ in range(examples // 100):
        inputs = dice.normal([0, 5, 100, 0], [1, 2, 30, 1], (100, 4))
        model.learn(inputs, (dice.random(100) < 1 / (1 + np.exp(3 - 2 * inputs[:, 0]))).astype(float))
    unseen = dice.normal([0, 5, 100, 0], [1, 2, 30, 1], (2000, 4))
    return model, unseen, 1 / (1 + np.exp(3 - 2 * unseen[:, 0]))


def test_it_learns_whatever_the_scale_of_the_inputs() -> None:
    model, unseen, truth = taught(20_000)
    assert np.corrcoef(model.probabilities(unseen), truth)[0, 1] > 0.97


def test_what_it_says_comes_true_as_often_as_it_says() -> None:
    model, unseen, truth = taught(20_000)
    said = model.probabilities(unseen)
    for low in (0.0, 0.1, 0.3, 0.6):
        part = (said >= low) & (said < low + 0.3)
        assert said[part].mean() == pytest.approx(truth[part].mean(), abs=0.06)


def test_calibration_mends_a_model_that_is_too_sure() -> None:
    dice = np.random.default_rng(1)
    model = OnlineLogistic.untaught(1)
    model.weights, model.count, model.spread = np.array([8.0]), 1000.0, np.array([1000.0])
    inputs = dice.normal(0, 1, (4000, 1))
    model._note(model.scores(inputs), (dice.random(4000) < 1 / (1 + np.exp(-inputs[:, 0]))).astype(float))
    assert model.slope == pytest.approx(1 / 8, abs=0.05)


def test_an_outcome_is_learned_only_when_the_time_is_over() -> None:
    pending = Pending(GAP, 100, moving=True)
    pending.note("s1", 0, [1.0])
    pending.note("s1", MINUTE_MS, [2.0])
    pending.ordered("s1", MINUTE_MS // 2)
    assert list(pending.due(MINUTE_MS + GAP)) == []
    assert list(pending.due(MINUTE_MS + GAP + 1)) == [([1.0], 1.0), ([2.0], 0.0)]
    assert list(pending.due(10 * GAP)) == []


def test_the_same_moment_twice_is_one_example() -> None:
    pending = Pending(GAP, 100, moving=True)
    pending.note("s1", 0, [1.0])
    pending.note("s1", 0, [1.0])
    assert len(list(pending.due(GAP + 1))) == 1


def test_a_partition_that_lags_holds_time_back_until_it_falls_quiet() -> None:
    watermark = Watermark()
    assert watermark.advance({0: 1000, 1: 10}) == 10
    assert watermark.advance({0: 2000}) == 10
    for _ in range(600):
        now = watermark.advance({0: 3000})
    assert now == 3000


async def test_visitors_with_a_full_cart_are_likelier_to_buy(shop: Shop) -> None:
    observer = PropensityObserver(GAP)
    shop.ports = replace(shop.ports, observers=(observer,))
    for number in range(400):
        who, start = f"u{number}", number * 0.05
        await shop.take(shop.at(viewed(who, "running-1"), minutes=start))
        if number % 2:
            await shop.take(
                shop.at(ProductAdded(customer_id=who, product_id="running-1"), minutes=start + 1),
                shop.at(viewed(who, "running-2"), minutes=start + 1.5),
            )
            await shop.take(shop.at(ordered(who, f"o{number}", "running-1"), minutes=start + 2))
    await shop.happen(viewed("late", "running-1"), minutes=60)  # by now all those sessions are over
    looking = await shop.happen(viewed("x", "running-1"), minutes=60)
    filled = (viewed("y", "running-1"), ProductAdded(customer_id="y", product_id="running-1"), viewed("y", "running-2"))
    with_cart = await shop.happen(*filled, minutes=60)
    assert looking.propensity is not None
    assert with_cart.propensity is not None
    assert looking.propensity.session is not None
    assert with_cart.propensity.session is not None
    assert with_cart.propensity.session > looking.propensity.session + 0.2


@pytest.mark.parametrize("at_once", [1, 1000])
async def test_it_learns_the_same_from_a_backlog_as_from_events_one_by_one(shop: Shop, at_once: int) -> None:
    observer = PropensityObserver(GAP)
    shop.ports = replace(shop.ports, observers=(observer,))
    log = []
    for number in range(40):
        who, start = f"u{number}", number * 0.1
        log += [shop.at(viewed(who, f"running-{look}"), minutes=start + look) for look in range(3)]
        log.append(shop.at(ordered(who, f"o{number}", "running-1"), minutes=start + 4))
    for begin in range(0, len(log), at_once):
        await shop.take(*log[begin : begin + at_once])
    await shop.happen(viewed("late", "running-1"), minutes=60)
    # Three looks before each order, and the order itself: nothing came after it.
    assert (observer.session.model.count, observer.session.model.positives) == (128, 96)


async def test_nothing_is_said_before_anything_is_known(shop: Shop) -> None:
    shop.ports = replace(shop.ports, observers=(PropensityObserver(GAP),))
    assert (await shop.happen(viewed("c1", "running-1"))).propensity is None
