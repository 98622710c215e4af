"""So many a second in the long run, some at once, each caller for itself."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from rapport.ops.errors import RateLimited
from services.gateway.domain import rate as module
from services.gateway.domain.callers import Callers
from services.gateway.domain.keys import Keys
from services.gateway.domain.rate import Rate


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def taken(rate: Rate, caller: str, tries: int) -> int:
    return sum(rate.wait(caller) == 0 for _ in range(tries))


def test_five_seconds_worth_at_once_and_then_the_rate() -> None:
    clock = Clock()
    rate = Rate(10, clock)
    assert taken(rate, "a", 100) == 50
    assert rate.wait("a") == pytest.approx(0.1)
    clock.now += 1.0
    assert taken(rate, "a", 100) == 10
    assert taken(rate, "b", 100) == 50
    clock.now += 3600.0
    assert taken(rate, "a", 100) == 50


def test_who_waits_as_told_may_call() -> None:
    clock = Clock()
    rate = Rate(0.1, clock)
    assert taken(rate, "a", 3) == 1
    clock.now += rate.wait("a")
    assert rate.wait("a") == 0


def test_no_rate_no_limit() -> None:
    assert taken(Rate(0), "a", 10_000) == 10_000


def test_callers_that_come_and_go_take_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CALLERS", 10)
    clock = Clock()
    rate = Rate(1, clock)
    for number in range(100):
        rate.wait(f"a{number}")
        assert len(rate._full_at) <= 10
    assert taken(rate, "a99", 100) == 4
    clock.now += 60
    rate.wait("b")
    assert list(rate._full_at) == ["b"]


def test_a_network_of_ipv6_is_one_client() -> None:
    callers = Callers(Keys(frozenset(), frozenset()), Rate(0), Rate(0.01, Clock()))
    callers.count(None, "2001:db8:1:2::1")
    callers.count(None, "2001:db8:1:3::1")
    for address in ("192.0.2.1", "192.0.2.2", "::ffff:192.0.2.3", "::ffff:192.0.2.4", "not an address", ""):
        callers.count(None, address)
    with pytest.raises(RateLimited):
        callers.count(None, "2001:db8:1:2:ffff::7")
