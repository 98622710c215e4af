"""Learned sources and rankers as the service uses them: promoted, asked, withdrawn."""

from __future__ import annotations

from pathlib import Path

import pytest

from rapport.models.registry import Registry
from rapport.models.versions import Version
from services.recommender.domain.catalogue import Catalogue
from services.recommender.domain.situation import Situation
from services.recommender.evaluation.histories import Interaction, histories
from services.recommender.learned.sources import FactorsSource, ItemItemSource
from services.recommender.learned.store import About, save_factors, save_item_item
from services.recommender.training.factors import factors
from services.recommender.training.item_item import cosine

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
