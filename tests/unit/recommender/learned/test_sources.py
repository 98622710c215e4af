"""Learned sources and rankers as the service uses them: promoted, asked, withdrawn."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from growthbook import Experiment, GrowthBook

from rapport.models.registry import Registry
from rapport.models.versions import Version
from rapport.ops.errors import ModelError
from services.recommender.domain.catalogue import Catalogue
from services.recommender.domain.features import FEATURES
from services.recommender.domain.situation import Situation
from services.recommender.evaluation.histories import Interaction, histories
from services.recommender.learned import ranker
from services.recommender.learned.names import RANKER, of_tenant
from services.recommender.learned.rankers import PromotedRankers, assigned
from services.recommender.learned.settings import Arm, LearnedSection, ModelExperiment
from services.recommender.learned.sources import FactorsSource, ItemItemSource
from services.recommender.learned.store import About, save_factors, save_item_item
from services.recommender.training.factors import factors
from services.recommender.training.item_item import cosine
from services.recommender.training.ranker import Lists, fit_ranker

WHOLE = histories(Interaction(f"u{user}", f"{'ab'[user % 2]}{item}", item) for user in range(20) for item in range(5))


def _situation(*recent: str, tenant: str = "default") -> Situation:
    return Situation(now_ms=0, catalogue=Catalogue(), tenant=tenant, customer_id="c", recent=recent, fetch=3)


@pytest.fixture
def version(tmp_path: Path, request: pytest.FixtureRequest) -> Version:
    registry, about = Registry(tmp_path / "cache"), About("default", 0.2)
    if request.param is ItemItemSource:
        save_item_item(cosine(WHOLE, 1.0), about, tmp_path / "files")
    else:
        save_factors(factors(WHOLE, width=4, rounds=5), about, tmp_path / "files")
    return registry.register(tmp_path / "files", name="recommender-any", kind="any")


BOTH = pytest.mark.parametrize(
    ("source", "version"), [(ItemItemSource(), ItemItemSource), (FactorsSource(), FactorsSource)], indirect=["version"]
)


@BOTH
async def test_a_source_finds_once_promoted_and_not_when_withdrawn(
    source: ItemItemSource | FactorsSource, version: Version
) -> None:
    assert list(source.find(_situation("a1"))) == []
    await source.use("default", version)
    found = list(source.find(_situation("a1", "a2")))
    assert 0 < len(found) <= 3
    assert all(each.product_id.startswith("a") and 0 < each.score < 1 for each in found)
    assert {each.evidence.subject for each in found} <= {"a1", "a2"}
    await source.use("default", None)
    assert list(source.find(_situation("a1"))) == []


@BOTH
async def test_another_tenant_s_customers_and_newcomers_get_nothing(
    source: ItemItemSource | FactorsSource, version: Version
) -> None:
    await source.use("default", version)
    assert list(source.find(_situation("a1", tenant="other"))) == []
    assert list(source.find(_situation())) == []
    assert list(source.find(_situation("a product that came later"))) == []


def _registered(registry: Registry, folder: Path, favourite: int, tenant: str = "default") -> Version:
    """A ranker that likes what is high in one feature."""
    dice = np.random.default_rng(1)
    features = dice.random((2000, len(FEATURES))).astype(np.float32)
    labels = np.zeros(2000, np.int32)
    labels[np.arange(0, 2000, 10) + features[:, favourite].reshape(-1, 10).argmax(axis=1)] = 1
    lists = Lists(features, labels, np.full(200, 10, np.int32))
    ranker.save(fit_ranker(lists, lists, FEATURES), tenant, folder)
    return registry.register(folder, name=of_tenant(RANKER, tenant), kind=ranker.KIND)


async def test_a_ranker_is_promoted_scored_beside_and_withdrawn(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "cache")
    shown, beside = (_registered(registry, tmp_path / str(each), each) for each in (0, 1))
    rankers = PromotedRankers(registry, LearnedSection(shadow=(beside.version,)), "default")
    await rankers.start()
    assert rankers.of("default", "c").shown is None
    await rankers.use("default", shown)
    served = rankers.of("default", "c")
    rows = np.zeros((2, len(FEATURES)), np.float32)
    rows[1, 0] = 1.0
    assert served.shown is not None
    assert served.shown.name == f"{RANKER}@{shown.version}"
    assert np.argmax(served.shown.score(rows)) == 1
    assert [each.name for each in served.shadow] == [f"{RANKER}@{beside.version}"]
    assert rankers.of("other", "c").shown is None
    await rankers.use("default", None)
    assert rankers.of("default", "c").shown is None


async def test_trees_of_other_features_are_refused_and_the_old_ones_stay(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "cache")
    good = _registered(registry, tmp_path / "good", 0)
    (tmp_path / "good" / "about.json").write_text('{"features": ["a"], "version": 0}')
    bad = registry.register(tmp_path / "good", name=RANKER, kind=ranker.KIND)
    rankers = PromotedRankers(registry, LearnedSection(), "default")
    await rankers.use("default", good)
    with pytest.raises(ModelError, match="train it again"):
        await rankers.use("default", bad)
    assert rankers.of("default", "c").shown is not None


EXPERIMENT = ModelExperiment(
    id="ranker-test", arms=(Arm(id="control"), Arm(id="fixed", ranker="fixed", weight=3.0)), coverage=0.8
)


def test_customers_are_assigned_as_growthbook_assigns_them() -> None:
    """Against the library's own client, which the shop's front end may use."""

    def theirs(customer: str) -> str | None:
        client = GrowthBook(attributes={"id": customer})
        experiment = Experiment(
            key="ranker-test", variations=["control", "fixed"], weights=[0.25, 0.75], coverage=0.8, hashVersion=2,
            seed="ranker-test",
        )  # fmt: skip
        result = client.run(experiment)
        return str(result.value) if result.inExperiment else None

    def ours(customer: str) -> str | None:
        arm = assigned(EXPERIMENT, customer)
        return arm.id if arm else None

    customers = [f"customer-{number}" for number in range(400)]
    assert [ours(each) for each in customers] == [theirs(each) for each in customers]
    assert {ours(each) for each in customers} == {"control", "fixed", None}


async def test_an_answer_says_which_variation_it_is(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "cache")
    rankers = PromotedRankers(registry, LearnedSection(experiment=EXPERIMENT), "default")
    await rankers.start()
    await rankers.use("default", _registered(registry, tmp_path / "files", 0))
    by_variation = {served.variation: served for served in (rankers.of("default", f"c{n}") for n in range(50))}
    assert by_variation["control"].shown is not None
    assert by_variation["fixed"].shown is None
    assert by_variation["fixed"].experiment == "ranker-test"
    assert rankers.of("default", "").experiment == ""


async def test_a_missing_version_is_said_and_nobody_is_counted_in_its_variation(tmp_path: Path) -> None:
    arms = (Arm(id="control"), Arm(id="new", ranker="20200101-000000-abcdef"))
    settings = LearnedSection(experiment=ModelExperiment(id="x", arms=arms))
    rankers = PromotedRankers(Registry(tmp_path), settings, "default")
    await asyncio.wait_for(rankers.start(), 5)
    variations: Sequence[str] = [rankers.of("default", f"c{number}").variation for number in range(50)]
    assert set(variations) == {"control", ""}
    assert "20200101-000000-abcdef" in rankers.health().detail


async def test_what_one_tenant_s_customers_taught_serves_no_other(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "cache")
    ours = _registered(registry, tmp_path / "files", 0)
    rankers = PromotedRankers(registry, LearnedSection(), "default")
    await rankers.use("default", ours)
    with pytest.raises(ModelError, match="learned from tenant 'default'"):
        await rankers.use("other", ours)
    assert rankers.of("other", "c").shown is None
    theirs = _registered(registry, tmp_path / "theirs", 1, "other")
    assert theirs.name == f"{RANKER}.other"
    await rankers.use("other", theirs)
    names = [rankers.of(tenant, "c").shown for tenant in ("default", "other")]
    assert [ranker and ranker.name for ranker in names] == [f"{each.name}@{each.version}" for each in (ours, theirs)]
    await rankers.use("default", None)
    assert rankers.of("default", "c").shown is None
    assert rankers.of("other", "c").shown is not None
