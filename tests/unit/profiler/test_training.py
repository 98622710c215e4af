"""Labels from files, and what was learned of two ids of one person."""

from __future__ import annotations

from pathlib import Path

import pytest

from rapport.ops.errors import InvalidRequest
from services.profiler.domain.learned import Buying, Learned, Membership, Visit
from services.profiler.training.labels import read_labels


def test_corrected_labels(tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text("customer_id,label\nc1,VIP\nc2,\nc1,Loyal\n", encoding="utf-8")
    assert read_labels(file) == {"c1": "Loyal"}
    with pytest.raises(InvalidRequest):
        read_labels(tmp_path / "none.csv")


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
