"""Labels from files, and what was learned of two ids of one person."""

from __future__ import annotations

from pathlib import Path

import pytest

from rapport.models.versions import Version
from rapport.ops.errors import InvalidRequest
from rapport.ops.settings import ModelSettings
from rapport.testing import viewed
from services.profiler.domain.customer import Customer
from services.profiler.domain.learned import Buying, Learned, Membership, Visit
from services.profiler.segments.model import LinearSegments
from services.profiler.settings import ProfilerSettings
from services.profiler.training import corrections, jobs
from services.profiler.training.labels import read_labels
from tests.unit.profiler.conftest import Shop


def test_corrected_labels(tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text("customer_id,label\nc1,VIP\nc2,\nc1,Loyal\n", encoding="utf-8")
    assert read_labels(file) == {"c1": "Loyal", "c2": ""}
    with pytest.raises(InvalidRequest):
        read_labels(tmp_path / "none.csv")


def test_corrections_stay_until_they_are_taken_back(tmp_path: Path) -> None:
    corrections.save(tmp_path, corrections.updated({}, {"c1": "Loyal", "c2": "VIP"}))
    assert "c1" not in (tmp_path / "corrections.json").read_text()
    later = corrections.updated(corrections.load(tmp_path), {"c1": "", "c3": "VIP"})
    assert corrections.labels_of(["c1", "c2", "c3", "c4"], later) == {"c2": "VIP", "c3": "VIP"}
    assert corrections.load(tmp_path / "none") == {}


async def test_a_later_fit_learns_from_what_people_corrected_before(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        await shop.happen(*(viewed(f"u{number}", f"running-{step}") for step in range(4)))
    promoted = list[Version]()

    async def known(*_: object) -> dict[str, Customer]:
        return {f"u{number}": shop.kept(f"u{number}") for number in range(30)}

    async def now(*_: object) -> Version | None:
        return promoted[-1] if promoted else None

    monkeypatch.setattr(jobs, "known_customers", known)
    monkeypatch.setattr(jobs, "promoted_version", now)
    settings = ProfilerSettings(models=ModelSettings(cache=tmp_path))
    promoted.append(await jobs.train_types(settings, {f"u{number}": "Scout" for number in range(8)}))
    later = await jobs.train_types(settings, {"u0": ""})
    assert later.metrics["corrected"] == 7
    found = LinearSegments.load(later.folder, later.version)
    assert {segment.name for segment in found.segments} == {"Newcomer", "Scout"}


def test_two_ids_of_one_person_become_one_without_loss() -> None:
    known = Learned(
        {"taste": Membership("taste-1", "Runners", 5, 0.9)}, Visit("s1", looks=2), Buying(10, 20, 2, 2, 30.0)
    )
    guest = Learned({"taste": Membership("taste-2", "Cooks", 6, 0.8)}, Visit("s1", looks=3), Buying(5, 5, 1, 1, 0.0))
    guest.judge_aspect("price", -0.5, 7)
    merged = known.merged_with(guest, "a1", 9)
    assert merged.memberships["taste"].name == "Runners"
    assert (merged.visit.looks, merged.buying.orders, merged.buying.first_at) == (5, 3, 5)
    assert merged.aspects == {"price": [(7, -0.5)]}
