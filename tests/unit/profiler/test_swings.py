"""Sentiment swings: what stays as it is is no news for months, and a turn is told of within days."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from services.profiler.insights.finding import DAY_MS, Windows
from services.profiler.insights.memory import Memory
from services.profiler.insights.opinions import Opinions

_SUBJECTS, _A_DAY, _BEFORE = 12, 10, 8
_EVERY = 1 / 6
"""Days between two looks."""


def spoken(days: int, good: float, then: float) -> Opinions:
    """Of each subject `_A_DAY` opinions a day, 80 % of them good or bad; `good` before day 0, `then` from day 0."""
    dice, opinions = np.random.default_rng(3), Opinions()
    for at in np.sort(dice.uniform(-_BEFORE, days, _SUBJECTS * _A_DAY * (days + _BEFORE))).tolist():
        subject = f"aspect:{dice.integers(_SUBJECTS)}"
        mood = 0.85 if dice.random() < (good if at < 0 else then) else -0.85
        opinions.hear(subject, round((at + _BEFORE) * DAY_MS), mood + dice.normal(0, 0.1), "e")
    return opinions


def told(opinions: Opinions, days: float) -> Counter[str]:
    """Of which subjects, how often, from day 0 on."""
    memory, found = Memory(), Counter[str]()
    for look in range(round(days / _EVERY)):
        windows = Windows(round((look * _EVERY + _BEFORE) * DAY_MS))
        found.update(each.subject for each in opinions.findings(windows) if memory.is_news(each))
    return found


@pytest.mark.parametrize("good", [0.2, 0.6, 0.9])
def test_a_month_in_which_nothing_changes_is_hardly_ever_news(good: float) -> None:
    assert told(spoken(30, good, good), 30).total() <= _SUBJECTS / 4


def test_a_turn_is_told_of_nearly_every_subject_within_days() -> None:
    assert len(told(spoken(4, 0.8, 0.2), 4)) >= _SUBJECTS - 2
