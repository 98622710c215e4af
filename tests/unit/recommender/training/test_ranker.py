"""The ranker on simulated shoppers who look at the first places more than at the others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rapport.ops.errors import InvalidRequest
from services.recommender.training.ranker import Lists, click_weights, fit_ranker

NAMES = ("relevance", "old score")
_LISTS, _ITEMS = 2000, 10


def _shopping(seed: int, *, told_places: bool) -> Lists:
    """Shown in the order of an old score that has nothing to do with what people like; a place k is looked at with
    probability 1 / (1 + k), what is looked at clicked as it deserves."""
    dice = np.random.default_rng(seed)
    relevance, old = dice.random((_LISTS, _ITEMS)), dice.random((_LISTS, _ITEMS))
    places = np.argsort(np.argsort(-old, axis=1), axis=1)
    clicked = dice.random((_LISTS, _ITEMS)) < relevance**2 / (1.0 + places)
    features = np.stack([relevance, old], axis=-1).reshape(-1, 2).astype(np.float32)
    labels, positions = clicked.reshape(-1).astype(np.int32), places.reshape(-1).astype(np.int32)
    lists = Lists(features, labels, np.full(_LISTS, _ITEMS, np.int32))
    if not told_places:
        return lists
    weights = click_weights(labels, positions, np.ones(len(labels), np.float32))
    return replace(lists, positions=positions, weights=weights)


def _pull_of_the_old_score(*, told_places: bool) -> float:
    """By how much more an item scores for having stood first, against what its relevance brings."""
    train, validation = (_shopping(seed, told_places=told_places) for seed in (1, 2))
    booster = fit_ranker(train, validation, NAMES, {"learning_rate": 0.1, "num_leaves": 8})
    grid = np.linspace(0.05, 0.95, 10)
    first, last = (booster.predict(np.array([[r, old] for r in grid])) for old in (0.95, 0.05))
    middle = np.asarray(booster.predict(np.array([[r, 0.5] for r in grid])))
    return float(np.mean(np.asarray(first) - np.asarray(last)) / (middle[-1] - middle[0]))


def test_places_that_are_looked_at_more_teach_less_when_they_are_told() -> None:
    blind, told = _pull_of_the_old_score(told_places=False), _pull_of_the_old_score(told_places=True)
    assert told < blind / 3


def test_lists_without_a_click_teach_nothing() -> None:
    lists = Lists(np.zeros((4, 2), np.float32), np.zeros(4, np.int32), np.array([2, 2], np.int32))
    with pytest.raises(InvalidRequest, match="clicked"):
        fit_ranker(lists, lists, NAMES)
