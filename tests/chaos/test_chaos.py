"""Under a steady load everything is killed in turn: no event is lost, no effect doubled, everything comes back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import pytest
from redis.asyncio import Redis

from tests.chaos import outcome
from tests.chaos.disturbances import CAUGHT_UP_S, Recovery, all_ready, kill, stop_broker, table
from tests.chaos.lag import Observer
from tests.chaos.ledger import Ledger
from tests.chaos.load import steady_load
from tests.e2e.api import api
from tests.e2e.page import Page
from tests.e2e.shopfront import subscription
from tests.e2e.stack import Stack

# Each process comes back within a few seconds, a worker within half a minute; the full run kills twelve.
pytestmark = pytest.mark.timeout(1500)
SHORT = ("profiler", "recommender", "recommender-worker", "profiler-worker")
LONG = (
    *SHORT,
    *("chatbot", "chatbot-worker", "content", "content-worker", "gateway", "redis", "kafka"),
)
MOST_SHOWN, SETTLED_S = 40, 20.0
Disturbance = Callable[[Stack, Observer], Awaitable[Recovery]]


async def test_kills_lose_nothing_and_double_nothing(
    stocked: Stack, page: Page, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    names = LONG if pytestconfig.getoption("--chaos") == "full" else SHORT
    await survive([partial(kill, name) for name in names], stocked, page, capsys)


async def test_a_broker_that_goes_and_comes_back_loses_nothing_and_doubles_nothing(
    stocked: Stack, page: Page, capsys: pytest.CaptureFixture[str]
) -> None:
    await survive([stop_broker], stocked, page, capsys)


async def survive(steps: Sequence[Disturbance], stack: Stack, page: Page, capsys: pytest.CaptureFixture[str]) -> None:
    """All of `steps` in turn under the load; afterwards everything is compared with what was sent."""
    recoveries = []
    async with Observer(stack.bootstrap_servers) as observer:
        async with steady_load(page, stack) as load:
            for step in steps:
                recoveries.append(await step(stack, observer))
                with capsys.disabled():
                    print(f"\n{table(recoveries[-1:])}", flush=True)
        await observer.caught_up(CAUGHT_UP_S)
        lag = await observer.behind()
    with capsys.disabled():
        print(f"\n{load.ledger.events.total()} behaviour events\n{table(recoveries)}")
    assert not lag
    assert all_ready(stack)
    found = await settled_differences(load.ledger, stack, page)
    assert not found, f"{len(found)} differences, such as\n" + "\n".join(found[:: 1 + len(found) // MOST_SHOWN])


async def settled_differences(ledger: Ledger, stack: Stack, page: Page) -> list[str]:
    """What differs for good: views of the catalogue have no group, so nobody tells when they have caught up."""
    deadline = time.monotonic() + SETTLED_S
    while True:
        found = await differences(ledger, stack, page)
        if not found or time.monotonic() > deadline:
            return found
        await asyncio.sleep(1)


async def differences(ledger: Ledger, stack: Stack, page: Page) -> list[str]:
    """All that is not as the ledger says."""
    topics = {}
    for channel in ("profiles.v1", "recommendations.v1", "chat.replies.v1", "content.published.v1"):
        async with subscription(page, channel, stack.bootstrap_servers, committed=True) as read:
            topics[channel] = await read.all()
    async with api(stack) as gateway, Redis.from_url(stack.redis_url) as redis:
        return [
            *outcome.profiles(ledger, topics["profiles.v1"]),
            *await outcome.served(ledger, topics["profiles.v1"], gateway),
            *await outcome.counts(ledger, redis),
            *outcome.outputs(ledger, topics),
            *await outcome.catalogue(ledger, gateway),
            *await outcome.orders(ledger, gateway),
        ]
