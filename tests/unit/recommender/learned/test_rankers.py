"""Rankers as the service uses them: promoted, tried beside each other, withdrawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from growthbook import Experiment, GrowthBook

from rapport.models.registry import Registry
from rapport.models.versions import Version
from rapport.ops.errors import InvalidRequest, ModelError, NotFound
from services.recommender.domain.features import FEATURES
from services.recommender.learned import ranker, trials
from services.recommender.learned.names import RANKER, TRIAL, of_tenant
from services.recommender.learned.rankers import PromotedRankers
from services.recommender.learned.trials import FILE, ModelExperiment
from services.recommender.training.ranker import Lists, fit_ranker

ARMS = [{"id": "control"}, {"id": "fixed", "ranker": "fixed", "weight": 3.0}]


def _registered(registry: Registry, folder: Path, favourite: int, tenant: str = "default") -> Version:
    """A ranker that likes what is high in one feature."""
    dice = np.random.default_rng(1)
    features = dice.random((2000, len(FEATURES))).astype(np.float32)
    labels = np.zeros(2000, np.int32)
    labels[np.arange(0, 2000, 10) + features[:, favourite].reshape(-1, 10).argmax(axis=1)] = 1
    lists = Lists(features, labels, np.full(200, 10, np.int32))
    ranker.save(fit_ranker(lists, lists, FEATURES), tenant, folder)
    return registry.register(folder, name=of_tenant(RANKER, tenant), kind=ranker.KIND)


def _trial(registry: Registry, **content: Any) -> Version:
    def save(folder: Path) -> None:
        (folder / FILE).write_text(json.dumps(content))

    return registry.make(save, name=TRIAL, kind=trials.KIND)


async def test_a_ranker_is_promoted_and_withdrawn(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "cache")
    version, rankers = _registered(registry, tmp_path / "files", 0), PromotedRankers(registry)
    assert rankers.of("default", "c").shown is None
    await rankers.use("default", version)
    served = rankers.of("default", "c")
    rows = np.zeros((2, len(FEATURES)), np.float32)
    rows[1, 0] = 1.0
    assert served.shown is not None
    assert served.shown.name == f"{RANKER}@{version.version}"
    assert np.argmax(served.shown.score(rows)) == 1
    assert rankers.of("other", "c").shown is None
    await rankers.use("default", None)
    assert rankers.of("default", "c").shown is None


async def test_trees_of_other_features_are_refused_and_the_old_ones_stay(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "cache")
    good = _registered(registry, tmp_path / "good", 0)
    (tmp_path / "good" / "about.json").write_text('{"features": ["a"], "version": 0}')
    bad = registry.register(tmp_path / "good", name=RANKER, kind=ranker.KIND)
    rankers = PromotedRankers(registry)
    await rankers.use("default", good)
    with pytest.raises(ModelError, match="train it again"):
        await rankers.use("default", bad)
    assert rankers.of("default", "c").shown is not None


async def test_what_one_tenant_s_customers_taught_serves_no_other(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "cache")
    ours = _registered(registry, tmp_path / "files", 0)
    rankers = PromotedRankers(registry)
    await rankers.use("default", ours)
    with pytest.raises(ModelError, match="learned from tenant 'default'"):
        await rankers.use("other", ours)
    assert rankers.of("other", "c").shown is None
    theirs = _registered(registry, tmp_path / "theirs", 1, "other")
    assert theirs.name == f"{RANKER}.other"
    await rankers.use("other", theirs)
    names = [rankers.of(tenant, "c").shown for tenant in ("default", "other")]
    assert [each and each.name for each in names] == [f"{each.name}@{each.version}" for each in (ours, theirs)]
    await rankers.use("default", None)
    assert rankers.of("default", "c").shown is None
    assert rankers.of("other", "c").shown is not None


@pytest.mark.parametrize(
    "more",
    [
        {"coverage": 0.8},
        {"seed": "of last year", "coverage": 0.5},
        {"namespace": {"name": "ranking", "start": 0.2, "end": 0.7}},
    ],
)
def test_customers_are_assigned_as_growthbook_assigns_them(more: dict[str, Any]) -> None:
    """Against the library's own client, which the shop's front end may use."""
    own = ModelExperiment.model_validate({"id": "ranker-test", "arms": ARMS, **more})
    space = own.namespace

    def theirs(customer: str) -> str | None:
        experiment = Experiment(
            key="ranker-test", variations=["control", "fixed"], weights=[0.25, 0.75], hashVersion=2,
            seed=own.seed or "ranker-test", coverage=own.coverage,
            namespace=(space.name, space.start, space.end) if space else None,
        )  # fmt: skip
        result = GrowthBook(attributes={"id": customer}).run(experiment)
        return str(result.value) if result.inExperiment else None

    def ours(customer: str) -> str | None:
        arm = own.arm_of(customer)
        return arm.id if arm else None

    customers = [f"customer-{number}" for number in range(400)]
    assert [ours(each) for each in customers] == [theirs(each) for each in customers]
    assert {ours(each) for each in customers} == {"control", "fixed", None}


async def test_a_trial_begins_and_ends_while_answers_are_made(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "cache")
    promoted, beside = (_registered(registry, tmp_path / str(each), each) for each in (0, 1))
    rankers = PromotedRankers(registry)
    await rankers.use("default", promoted)
    experiment = {"id": "ranker-test", "arms": [*ARMS, {"id": "new", "ranker": beside.version}]}
    await rankers.begin("default", _trial(registry, shadow=[beside.version], experiment=experiment))
    by_variation = {served.variation: served for served in (rankers.of("default", f"c{n}") for n in range(50))}
    assert set(by_variation) == {"control", "fixed", "new"}
    shown = {name: served.shown and served.shown.name for name, served in by_variation.items()}
    assert shown == {
        "control": f"{RANKER}@{promoted.version}", "fixed": None, "new": f"{RANKER}@{beside.version}",
    }  # fmt: skip
    assert {name: len(served.shadow) for name, served in by_variation.items()} == {"control": 1, "fixed": 1, "new": 0}
    assert {served.experiment for served in by_variation.values()} == {"ranker-test"}
    assert rankers.of("default", "").experiment == ""
    assert rankers.of("other", "c1").experiment == ""
    await rankers.begin("default", None)
    assert rankers.of("default", "c1").experiment == ""
    assert not rankers.of("default", "c1").shadow


async def test_a_trial_that_cannot_be_kept_does_not_end_the_one_that_runs(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    rankers = PromotedRankers(registry)
    await rankers.begin("default", _trial(registry, experiment={"id": "first", "arms": ARMS}))
    with pytest.raises(NotFound, match="20200101-000000-abcdef"):
        await rankers.begin("default", _trial(registry, shadow=["20200101-000000-abcdef"]))
    twice = {"id": "second", "arms": [{"id": "a"}, {"id": "a"}]}
    with pytest.raises(InvalidRequest, match=r"experiment: .*two arms have the same id"):
        await rankers.begin("default", _trial(registry, experiment=twice))
    assert rankers.of("default", "c").experiment == "first"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"experimnt": {}}', "experimnt: "),
        ('{"experiment": {"id": "x", "arms": [{"id": "a"}]}}', "experiment.arms: "),
        ('{"experiment": {"id": "x", "arms": [{"id": "a", "weight": 0}, {"id": "b"}]}}', "experiment.arms.0.weight: "),
        ("{", FILE),
    ],
)
def test_what_is_wrong_with_a_trial_is_said_by_field(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(InvalidRequest, match=said):
        trials.read(tmp_path / FILE)
