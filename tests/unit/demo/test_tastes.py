"""Hidden tastes: they stay, until they drift at a time that the truth knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from services.demo.domain.choice import appeal, pick
from services.demo.domain.interest import Interests
from services.demo.domain.plan import Plan
from services.demo.domain.shopper import Shopper, make_shopper
from services.demo.domain.truth import GroundTruth
from services.demo.domain.world import World


@pytest.fixture
def shoppers(world: World, plan: Plan) -> list[Shopper]:
    return [make_shopper(world, plan, f"{number:05d}") for number in range(200)]


def test_some_interests_drift_when_the_truth_says_so(world: World, plan: Plan, shoppers: list[Shopper]) -> None:
    interests, end = Interests(world, plan), plan.start + plan.days(120)
    drifted = 0
    for shopper in shoppers:
        told = interests.between(shopper, plan.start, end)
        drifted += len(told) > 1
        for before, after in pairwise(told):
            assert after.since is not None
            assert interests.of(shopper, after.since - timedelta(seconds=1)).type == before.type
            assert interests.of(shopper, after.since + timedelta(seconds=1)).type == after.type
    assert 0.2 < drifted / len(shoppers) < 0.5


def test_weights_of_an_interest_sum_to_one(world: World, plan: Plan, shoppers: list[Shopper]) -> None:
    interests = Interests(world, plan)
    for shopper in shoppers:
        assert sum(interests.of(shopper, plan.start).kinds.values()) == pytest.approx(1)


def test_the_price_sensitive_choose_cheaper(world: World, plan: Plan, shoppers: list[Shopper]) -> None:
    offered = world.catalog.by_kind["espresso-machines"]
    paid = []
    for sensitivity in (0.0, 1.0):
        shopper = replace(shoppers[0], price_sensitivity=sensitivity, brands=dict.fromkeys(shoppers[0].brands, 1.0))
        dice = plan.random("test")
        paid.append(sum(float(pick(shopper, offered, 1, world.catalog, dice)[0].price) for _ in range(300)))
    assert paid[1] < paid[0] * 0.8


def test_what_one_is_after_appeals_more(world: World, plan: Plan, shoppers: list[Shopper]) -> None:
    interests = Interests(world, plan)
    for shopper in shoppers[:20]:
        interest = interests.of(shopper, plan.start)
        wanted = max(interest.kinds, key=interest.kinds.__getitem__)
        foreign = next(kind for kind in world.catalog.kinds if kind not in interest.kinds)
        assert appeal(shopper, interest, world.catalog.by_kind[wanted][0], world.catalog) > 0
        assert appeal(shopper, interest, world.catalog.by_kind[foreign][0], world.catalog) == 0


def test_the_truth_can_be_written_down(world: World, plan: Plan, shoppers: list[Shopper]) -> None:
    truth = GroundTruth(shoppers={shopper.customer_id: shopper for shopper in shoppers[:3]})
    told = truth.as_dict(world, plan, plan.start + plan.days(60))
    assert told["shoppers"]["c-00001"]["interests"][0]["type"] in {kind.name for kind in world.types}
    assert 0 <= min(told["quality"].values()) < max(told["quality"].values()) <= 1
