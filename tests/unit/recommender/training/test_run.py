"""A whole training on a small shop: what is registered, what is left out and why."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from rapport.models.registry import Registry
from rapport.ops.errors import InvalidRequest
from services.recommender.domain.features import FEATURES, VERSION
from services.recommender.learned import ranker
from services.recommender.learned.names import FACTORS, ITEM_ITEM, RANKER
from services.recommender.learned.store import load_item_item
from services.recommender.training.impressions import Seen
from services.recommender.training.reading import Data
from services.recommender.training.run import Options, Result, train
from services.recommender.training.signals import Signal


def _shop(tastes: int) -> Data:
    """Customers of different tastes, each of whom looks at eight of its dozen products."""
    dice, data = random.Random(1), Data("default")
    for customer in range(100):
        for at in range(8):
            product = f"t{customer % tastes}-{dice.randrange(12)}"
            data.signals.append(Signal("default", f"c{customer}", product, "product_viewed", 1000 * at + customer))
    return data


def _seen(lists: int, liked: int) -> list[Seen]:
    """Lists in random order, of which the item that is highest in feature `liked` is clicked."""
    dice = np.random.default_rng(2)
    found = []
    for number in range(lists):
        features = dice.random((6, len(FEATURES))).astype(np.float32)
        gains = np.zeros(6, np.int32)
        gains[features[:, liked].argmax()] = 1
        found.append(
            Seen(
                "default", f"r{number}", "c", number, "", "", VERSION, tuple("abcdef"), np.arange(6, dtype=np.int32),
                np.linspace(1, 0, 6, dtype=np.float32), np.ones(6, np.float32), {}, features, gains,
            )
        )  # fmt: skip
    return found


def _trained(data: Data, folder: Path, *models: str) -> Result:
    return train(data, Registry(folder), Options(models), lambda _: None)


def test_versions_carry_their_figures_beside_those_of_the_simple_models(tmp_path: Path) -> None:
    result = _trained(_shop(tastes=6), tmp_path, ITEM_ITEM, FACTORS)
    assert [version.name for version in result.versions] == [ITEM_ITEM, FACTORS]
    for version in result.versions:
        assert version.metrics["ndcg@10"] > 2 * version.metrics["popularity ndcg@10"]
        assert {"item_knn ndcg@10", "ease ndcg@10"} <= set(version.metrics)
    assert not result.worse
    assert {line.name for line in result.lines} == {"popularity", "ease", "transitions", "item_knn", "factors"}
    model, about = load_item_item(result.versions[0].folder)
    assert about.tenant == "default"
    assert len(model.items) == 6 * 12


def test_a_ranker_learns_from_the_lists_that_were_seen(tmp_path: Path) -> None:
    data = Data("default", seen=_seen(400, liked=3))
    (version,) = _trained(data, tmp_path, RANKER).versions
    assert version.metrics["ndcg"] > version.metrics["ndcg as shown"]
    rows = np.full((2, len(FEATURES)), 0.5, np.float32)
    rows[:, 3] = (0.1, 0.9)
    worse, better = ranker.load(version, "default").score(rows)
    assert better > worse


def test_too_few_clicks_leave_the_fixed_weights(tmp_path: Path) -> None:
    result = _trained(Data("default", seen=_seen(30, liked=3)), tmp_path, RANKER)
    assert not result.versions
    assert "30 lists" in result.left_out[RANKER]


def test_a_ranker_that_is_not_ahead_of_what_was_shown_is_not_recommended(tmp_path: Path) -> None:
    """The clicks follow nothing that the features tell."""
    seen = _seen(400, liked=3)
    dice = np.random.default_rng(5)
    for one in seen:
        one.gains[:] = 0
        one.gains[0 if dice.random() < 0.9 else dice.integers(6)] = 1
    assert RANKER in _trained(Data("default", seen=seen), tmp_path, RANKER).worse


def test_too_little_behaviour_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="50 are wanted"):
        _trained(Data("default", _shop(6).signals[:40]), tmp_path, ITEM_ITEM)
