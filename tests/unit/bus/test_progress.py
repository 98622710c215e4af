"""What counts as standing still."""

from __future__ import annotations

import pytest

from rapport.bus.progress import Progress

PLACE = ("t", 0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("rapport.bus.progress.time.monotonic", lambda: now[0])
    return now


def test_lag_without_progress_is_a_stall_after_the_limit_and_not_before(clock: list[float]) -> None:
    progress = Progress()
    progress.begin(PLACE, 10)
    assert progress.look(PLACE, 15) == 5
    clock[0] += 59
    assert progress.stalled(60) == []
    clock[0] += 2
    assert progress.stalled(60) == [PLACE]
    progress.reach(PLACE, 12)
    assert progress.stalled(60) == []
    assert progress.lag() == 5  # as last looked at


def test_without_lag_nothing_stalls_and_the_time_begins_when_lag_does(clock: list[float]) -> None:
    progress = Progress()
    progress.begin(PLACE, 10)
    clock[0] += 1000
    assert progress.look(PLACE, 10) == 0
    assert progress.look(PLACE, 11) == 1
    assert progress.stalled(60) == []


def test_an_attempt_is_life_and_an_empty_read_is_not(clock: list[float]) -> None:
    progress = Progress()
    progress.begin(PLACE, 10)
    progress.look(PLACE, 20)
    clock[0] += 61
    progress.idle(PLACE, 15)
    assert progress.stalled(60) == [PLACE]
    progress.alive(PLACE)
    assert progress.stalled(60) == []
    assert progress.look(PLACE, 20) == 5


def test_it_is_complete_once_all_that_was_given_has_begun() -> None:
    progress = Progress()
    progress.expect(PLACE)
    progress.expect(("t", 1))
    assert not progress.complete
    progress.begin(PLACE, 0)
    progress.end(("t", 1))
    assert progress.complete


def test_a_partition_that_went_away_is_forgotten() -> None:
    progress = Progress()
    progress.begin(PLACE, 0)
    progress.end(PLACE)
    assert progress.owned() == []
    assert progress.look(PLACE, 5) is None
