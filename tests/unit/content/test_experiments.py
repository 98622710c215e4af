"""Who gets what, what counts as an outcome, and when an experiment is decided."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from growthbook import Experiment, GrowthBook

from rapport.events.experiments import ExperimentChanged, ExperimentViewed, VariationInfo
from rapport.ops.errors import InvalidRequest, NotFound, StateConflict
from services.content.adapters.ranked import BoardRanking
from services.content.domain.audience import People
from services.content.domain.experiments.assignment import assign
from services.content.domain.experiments.board import Board
from services.content.domain.experiments.performance import ranking
from services.content.domain.experiments.report import report_of, weights_of
from services.content.domain.experiments.statistics import difference_sequence, wilson
from services.content.domain.experiments.tally import Tally
from services.content.handlers.experiments import ExperimentHandlers

from .conftest import TEMPLATES, KeptArms, brief
from .test_briefs import message
from .test_checks import told

T0 = datetime(2026, 3, 1, tzinfo=UTC)
X = "q-1:content"


def experiment(arms: int = 2, **plan: Any) -> ExperimentChanged:
    return ExperimentChanged.model_validate(
        {
            "experiment_id": X, "content_id": X, "plan": plan, "started_at": T0, "kind": "campaign",
            "product_ids": ["p-1"],            "variations": [
                VariationInfo(
                    variation_id="abcdef"[at], author="template", template_id=f"campaign-{at + 1}", template_version=1
                )
                for at in range(arms)
            ],
        }
    )  # fmt: skip


def handlers(board: Board | None = None) -> ExperimentHandlers:
    return ExperimentHandlers(board or Board(), People(), KeptArms(), lambda: T0)


async def running(**plan: Any) -> ExperimentHandlers:
    own = handlers()
    await own.on_experiments([message(experiment(**plan), X)])
    return own


def fill(tally: Tally, *arms: tuple[str, int, int], segment: str = "other", at: datetime = T0) -> None:
    for name, customers, successes in arms:
        for number in range(customers):
            tally.viewed(segment, name, at)
            if number < successes:
                tally.succeeded(segment, name, at, 10.0)


@pytest.mark.parametrize(
    "plan",
    [
        {},
        {"weights": [0.1, 0.9]},
        {"coverage": 0.4},
        {"namespace": {"name": "ns", "start": 0.2, "end": 0.7}},
        {"coverage": 0.0},
    ],
)
def test_assignment_is_what_growthbooks_sdk_gives(plan: dict[str, Any]) -> None:
    own = experiment(**plan)
    space = own.plan.namespace
    theirs = Experiment(
        key=X, variations=["a", "b"], hashVersion=2, coverage=own.plan.coverage, weights=list(own.plan.weights) or None,
        namespace=(space.name, space.start, space.end) if space else None, seed=X,
    )  # fmt: skip
    for number in range(100):
        sdk = GrowthBook(attributes={"id": f"c-{number}"})
        result = sdk.run(theirs)
        sdk.destroy()
        assert assign(own, f"c-{number}", weights_of(own, Tally())) == (result.value if result.inExperiment else None)


async def test_a_fixed_split_keeps_its_weights_and_its_customers() -> None:
    own = await running(weights=[0.25, 0.75])
    got = Counter([(await own.assigned("default", X, f"c-{n}")).variation_id for n in range(2000)])
    assert 400 < got["a"] < 600
    assert (await own.assigned("default", X, "c-1")).variation_id == (
        await own.assigned("default", X, "c-1")
    ).variation_id


async def test_a_bandit_moves_to_the_better_arm_but_customers_keep_theirs() -> None:
    own = await running(mode="bandit", floor=0.1)
    before = {f"c-{n}": (await own.assigned("default", X, f"c-{n}")).variation_id for n in range(200)}
    fill(own.board.tally("default", X), ("a", 300, 9), ("b", 300, 60))
    own.board.viewed("default", ExperimentViewed(experiment_id=X, variation_id="a", customer_id="c", occurred_at=T0))
    assert own.board.weights("default", X, None) == pytest.approx([0.1, 0.9], abs=0.01)
    assert {name: (await own.assigned("default", X, name)).variation_id for name in before} == before
    late = Counter([(await own.assigned("default", X, f"late-{n}")).variation_id for n in range(1000)])
    assert late["b"] > 850
    assert late["a"] > 50  # the floor


async def test_lost_arms_come_back_from_the_exposures() -> None:
    own = await running(mode="bandit")
    seen = ExperimentViewed(experiment_id=X, variation_id="b", customer_id="c-1", occurred_at=T0)
    await own.on_exposures([message(seen, "c-1")])
    assert (await own.assigned("default", X, "c-1")).variation_id == "b"


def test_a_bandit_follows_a_change_of_the_rates() -> None:
    tally = Tally(half_life_days=2)
    fill(tally, ("a", 1000, 200), ("b", 1000, 50))
    own = experiment(mode="bandit", half_life_days=2, floor=0.05)
    assert weights_of(own, tally)[0] > 0.9
    fill(tally, ("a", 300, 15), ("b", 300, 60), at=T0 + timedelta(days=14))
    assert weights_of(own, tally)[1] > 0.9


def test_a_contextual_bandit_gives_each_segment_its_own_arm() -> None:
    tally = Tally(half_life_days=None)
    fill(tally, ("a", 400, 80), ("b", 400, 10), segment="runners")
    fill(tally, ("a", 400, 10), ("b", 400, 80), segment="walkers")
    own = experiment(mode="contextual", segments=["runners", "walkers"], floor=0.05)
    assert weights_of(own, tally, "runners")[0] > 0.9
    assert weights_of(own, tally, "walkers")[1] > 0.9
    report = report_of(own, tally)
    assert [each.segment for each in report.segments] == ["runners", "walkers"]


def test_the_stopping_rule_waits_then_decides() -> None:
    tally = Tally()
    fill(tally, ("a", 50, 1), ("b", 50, 20))
    assert not report_of(experiment(), tally).decided  # too few customers
    fill(tally, ("a", 2000, 60), ("b", 2000, 400))
    report = report_of(experiment(), tally)
    assert (report.decided, report.leader) == (True, "b")
    assert report.arms[1].lift_interval is not None
    assert report.arms[1].lift_interval[0] > 0


def test_equal_arms_are_not_decided_and_a_skewed_split_is_named() -> None:
    tally = Tally()
    fill(tally, ("a", 3000, 300), ("b", 3000, 305))
    assert not report_of(experiment(), tally).decided
    fill(tally, ("b", 1500, 150))
    assert "split" in report_of(experiment(), tally).verdict


def test_intervals_know_their_edges() -> None:
    assert wilson(0, 0, 0.95) == (0.0, 1.0)
    low, high = wilson(50, 100, 0.95)
    assert (round(low, 3), round(high, 3)) == (0.404, 0.596)
    assert difference_sequence((0, 0), (1, 2), 0.05) == (-1.0, 1.0)


async def test_the_rule_ends_what_it_may_end() -> None:
    own = await running(mode="bandit", promote="rule", min_customers=50)
    fill(own.board.tally("default", X), ("a", 500, 10), ("b", 500, 100))
    (end,) = own.by_rule()
    assert isinstance(end.event, ExperimentChanged)
    assert (end.event.winner, end.event.by) == ("b", "rule")
    await own.on_experiments([message(end.event, X, 1)])
    assert own.by_rule() == []
    assert (await own.assigned("default", X, "c-1")).reason == "winner"


async def test_a_person_ends_it_and_only_once() -> None:
    own = await running()
    with pytest.raises(InvalidRequest):
        own.ended("default", X, "z", "Mia", "")
    with pytest.raises(NotFound):
        own.ended("default", "q-9", "a", "Mia", "")
    ended, _ = own.ended("default", X, "", "Mia", "out of season")
    await own.on_experiments([message(ended, X, 1)])
    assert (await own.assigned("default", X, "c-1")).reason == "stopped"
    with pytest.raises(StateConflict):
        own.ended("default", X, "a", "Mia", "")


async def test_templates_with_better_outcomes_come_first() -> None:
    own = await running(arms=3)
    fill(own.board.tally("default", X), ("a", 400, 10), ("b", 400, 80), ("c", 400, 30))
    rows = ranking([(own.board.named("default", X), own.board.tally("default", X))], "template")
    assert [row.name for row in rows] == ["campaign-2@1", "campaign-3@1", "campaign-1@1"]
    entries = TEMPLATES.fitting("campaign", "email", told(), frames=False)
    ordered = BoardRanking(own.board, "default").ordered(brief(), entries)
    assert [entry.id for entry in ordered][:2] == ["campaign-2", "campaign-3"] or ordered[0].version > 1
