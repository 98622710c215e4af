"""Rankers judged by lists that were seen and clicked."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from services.recommender.evaluation.logged import LOGGED, judged_on_lists, shadows_on_lists
from services.recommender.training.impressions import Seen


def _seen(clicked: int, shadows: Mapping[str, list[float]]) -> Seen:
    """Three products with one feature, their place; one of them was clicked."""
    floats = np.arange(3, dtype=np.float32)
    scores = {name: np.array(said, np.float32) for name, said in shadows.items()}
    gains = np.eye(3, dtype=np.int32)[clicked]
    return Seen(
        "default", f"r{clicked}", "c", 0, "", "", 1, ("a", "b", "c"), np.arange(3, dtype=np.int32), -floats,
        np.ones(3, np.float32), scores, floats[:, None], gains,
    )  # fmt: skip


def test_who_would_have_put_the_click_first_is_ahead_of_the_order_as_shown() -> None:
    judged = judged_on_lists([_seen(2, {}), _seen(2, {})], {"backwards": lambda rows: rows[:, 0]})
    assert judged[LOGGED].figure.value == pytest.approx(0.5)
    assert (judged["backwards"].figure.value, judged["backwards"].lists) == (1.0, 2)
    assert judged["backwards"].ahead.value == pytest.approx(0.5)
    assert judged_on_lists([], {}) == {}


def test_a_shadow_is_judged_by_the_lists_that_it_was_scored_with() -> None:
    """It begins after the first lists were seen, and where an arm of an experiment shows it there is none."""
    judged = shadows_on_lists([_seen(0, {}), _seen(2, {"x": [0.0, 1.0, 2.0]}), _seen(0, {"y": [3.0, 2.0, 1.0]})])
    assert {name: (one.figure.value, one.lists) for name, one in judged.items()} == {"x": (1.0, 1), "y": (1.0, 1)}
    assert judged["x"].ahead.value == pytest.approx(0.5)
    assert judged["y"].ahead.value == 0.0
