"""Item–item weights and factors: fitted on a small shop with two tastes, saved, loaded, asked."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from rapport.models.registry import Registry
from rapport.ops.errors import InvalidRequest, ModelError
from services.recommender.evaluation.histories import Histories, Interaction, histories
from services.recommender.learned.item_item import ItemItem
from services.recommender.learned.store import (
    About,
    load_factors,
    load_item_item,
    save_factors,
    save_item_item,
)
from services.recommender.training.factors import factors
from services.recommender.training.item_item import cosine, ease, transitions

ABOUT = About("default", 0.5)


@pytest.fixture(scope="module")
def two_tastes() -> Histories:
    """Customers of tea and customers of tools, a dozen products each, in random order."""
    dice = random.Random(4)
    rows = []
    for user in range(60):
        taste = "tea" if user % 2 else "tool"
        rows += [Interaction(f"u{user}", f"{taste}{dice.randrange(12)}", at) for at in range(8)]
    return histories(rows).distinct()


def _leads_to(model: ItemItem, *history: str) -> list[str]:
    items, scores, _ = model.scored([model.number[item] for item in history])
    return [model.items[items[at]] for at in np.argsort(-scores)[:5]]


@pytest.mark.parametrize("fit", [lambda h: ease(h, 5.0), lambda h: cosine(h, 5.0), lambda h: transitions(h, 3, 2.0)])
def test_item_item_stays_with_the_taste(two_tastes: Histories, fit: object) -> None:
    model = fit(two_tastes)  # type: ignore[operator]
    assert all(item.startswith("tea") for item in _leads_to(model, "tea1", "tea2"))
    assert all(item.startswith("tool") for item in _leads_to(model, "tool3"))


def test_ease_solves_its_own_equation(two_tastes: Histories) -> None:
    """B is the minimum of |X - XB|² + l2·|B|² with a zero diagonal: the gradient off the diagonal is zero."""
    l2, items = 3.0, len(two_tastes.items)
    model = ease(two_tastes, l2, keep=items)
    seen = two_tastes.matrix().toarray()
    gram = seen.T @ seen + l2 * np.eye(items)
    inverse = np.linalg.inv(gram)
    expected = -inverse / np.diag(inverse)[None, :]
    for item in range(items):
        neighbours, weights = model.of(item)
        assert weights == pytest.approx(expected[item, neighbours], abs=1e-4)
        assert model.items[item] not in [model.items[other] for other in neighbours]


def test_transitions_know_the_order() -> None:
    whole = histories(Interaction(f"u{user}", item, at) for user in range(9) for at, item in enumerate("abc"))
    model = transitions(whole, reach=1, shrink=1.0)
    assert _leads_to(model, "a") == ["b"]
    assert _leads_to(model, "b") == ["c"]


def test_the_newest_counts_for_most() -> None:
    rows = [
        Interaction(f"u{user}", item, at) for user in range(9) for at, item in enumerate("ab" if user % 2 else "cd")
    ]
    model = cosine(histories(rows), 0.0, fading=0.5)
    assert _leads_to(model, "a", "c")[0] == "d"
    assert _leads_to(model, "c", "a")[0] == "b"


def test_one_more_event_moves_the_folded_in_factor(two_tastes: Histories) -> None:
    model = factors(two_tastes, width=8, rounds=10)
    tea, tool = (model.number[item] for item in ("tea1", "tool1"))
    before, after = model.scores([tea]), model.scores([tea, tool])
    tools = [number for item, number in model.number.items() if item.startswith("tool") and item != "tool1"]
    assert before[tools].mean() < after[tools].mean()


def test_folding_in_gives_what_the_library_gives(two_tastes: Histories) -> None:
    """The library's own factor of a user, recomputed from the item factors, is ours."""
    from implicit.cpu.als import AlternatingLeastSquares

    confidence, l2 = 4.0, 0.5
    weights = two_tastes.weights()
    weights.data = 1.0 + confidence * weights.data
    library = AlternatingLeastSquares(factors=8, regularization=l2, alpha=1.0, random_state=1, num_threads=1)
    library.fit(weights, show_progress=False)
    ours = factors(two_tastes, width=8, l2=l2, confidence=confidence, bias=0.0)
    ours = type(ours)(ours.items, library.item_factors, ours.biases, l2, confidence)
    theirs = library.recalculate_user(0, weights[0])
    assert ours.folded_in(two_tastes.of(0).tolist()) == pytest.approx(theirs, abs=1e-3)


def test_nobody_in_particular_has_no_factor(two_tastes: Histories) -> None:
    model = factors(two_tastes, width=4, rounds=2, bias=0.0)
    assert not model.scores([]).any()


def test_versions_come_back_as_they_went(two_tastes: Histories, tmp_path: Path) -> None:
    weights, latent = cosine(two_tastes, 1.0), factors(two_tastes, width=4, rounds=2)
    save_item_item(weights, ABOUT, tmp_path / "a")
    save_factors(latent, ABOUT, tmp_path / "b")
    registry = Registry(tmp_path / "cache")
    versions = [
        registry.register(tmp_path / "a", name="recommender-item-item", kind="item_knn"),
        registry.register(tmp_path / "b", name="recommender-factors", kind="factors"),
    ]
    again, about = load_item_item(versions[0].folder)
    assert (again.items, about) == (weights.items, ABOUT)
    assert _leads_to(again, "tea1") == _leads_to(weights, "tea1")
    assert load_factors(versions[1].folder)[0].scores([1, 2]).tolist() == latent.scores([1, 2]).tolist()


def test_files_that_do_not_fit_together_are_refused(two_tastes: Histories, tmp_path: Path) -> None:
    save_item_item(cosine(two_tastes, 1.0), ABOUT, tmp_path)
    (tmp_path / "items.json").write_text('["a"]')
    with pytest.raises(ModelError, match="do not fit"):
        load_item_item(tmp_path)
    with pytest.raises(ModelError):
        load_factors(tmp_path)


def test_nothing_to_learn_from_is_said() -> None:
    with pytest.raises(InvalidRequest):
        ease(histories([]), 1.0)
