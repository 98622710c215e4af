"""What is done to a running stack, and how long each took until all was well again."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deploy.local.supervisor_client import Supervisor
from tests.chaos.lag import Observer
from tests.e2e.stack import Stack

# A worker loads its model anew, on two cores beside everything else.
READY_S, CAUGHT_UP_S = 150.0, 150.0
# Long enough that a producer's and a consumer's requests run into it; every client has to find the broker again.
BROKER_AWAY_S = 8.0


@dataclass(frozen=True, slots=True)
class Recovery:
    """One disturbance. Seconds from it on."""

    what: str
    ready_s: float
    """The process answers again."""
    caught_up_s: float
    """Everything that was published until it was ready has been handled and committed by every group."""


async def recovered(what: str, began: float, ready: Callable[[], bool], observer: Observer) -> Recovery:
    """Waits for `ready`, then for all that lay on the topics by then."""
    await until(ready, READY_S, f"{what}: not ready")
    ready_s = time.monotonic() - began
    await observer.caught_up(CAUGHT_UP_S, await observer.ends())
    return Recovery(what, ready_s, time.monotonic() - began)


async def kill(name: str, stack: Stack, observer: Observer) -> Recovery:
    """`kill -9`; supervision starts it again."""
    before, began = stack.pid(name), time.monotonic()
    os.kill(before, signal.SIGKILL)
    return await recovered(
        f"kill -9 {name}", began, lambda: stack.pid(name) not in {0, before} and stack.is_ready(name), observer
    )


async def stop_broker(stack: Stack, observer: Observer) -> Recovery:
    """The broker goes in order, as for an upgrade, and comes back."""
    supervisor, began = Supervisor(stack.home.socket), time.monotonic()
    supervisor.stop(["kafka"])
    await until(lambda: stack.pid("kafka") == 0, 60, "the broker does not stop")
    away = time.monotonic()
    await until(lambda: time.monotonic() - away > BROKER_AWAY_S, 60, "")
    supervisor.start(["kafka"])
    return await recovered(f"broker away for {BROKER_AWAY_S:.0f} s", began, lambda: all_ready(stack), observer)


def all_ready(stack: Stack) -> bool:
    return all(stack.is_ready(name) for name in stack.names())


def table(rows: Sequence[Recovery]) -> str:
    head = f"{'what':<32}{'ready':>10}{'caught up':>12}"
    lines = [f"{row.what:<32}{row.ready_s:>8.1f} s{row.caught_up_s:>10.1f} s" for row in rows]
    return "\n".join([head, *lines])


async def until(true: Callable[[], bool], within_s: float, otherwise: str) -> None:
    """Returns once `true()` holds; fails with `otherwise`."""
    deadline = time.monotonic() + within_s
    while not await asyncio.to_thread(true):
        assert time.monotonic() < deadline, f"{otherwise} after {within_s} s"
        await asyncio.sleep(0.2)
