"""The one way every process starts and ends.

    def main() -> None:
        run("profiler", ProfilerSettings, parts)

Order: settings, log, ops page (so that liveness answers while models load), then the service's parts. A signal, or a
part that is no longer live, ends it: parts stop in reverse, each within a bounded time.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import NoReturn, TypeVar

import structlog

from rapport.ops.errors import RapportError, UnavailableError
from rapport.ops.health import ops_server
from rapport.ops.logging import configure_logging
from rapport.ops.metrics import gauge
from rapport.ops.parts import Part
from rapport.ops.roster import Roster
from rapport.ops.settings import Settings
from rapport.ops.tracing import Tracing

S = TypeVar("S", bound=Settings)
log = structlog.stdlib.get_logger(__name__)

# How often health is looked at, in seconds: often while starting, so that "ready" is told at once.
_LOOK_STARTING_S, _LOOK_RUNNING_S = 0.05, 1.0
# A part may be between two lives (a consumer that rebuilds itself); this long not live is dead.
_DEAD_AFTER_S = 3.0
# After the parts have stopped only stray threads can hold the process, such as a model load that was cut short.
_EXIT_WITHIN_S = 2.0
# Objects made before the young are looked through (Python's 700 is less than one batch makes), and rounds of each
# generation before the next older one is.
_COLLECT_AFTER = (10_000, 20, 20)
_ENDING = (signal.SIGTERM, signal.SIGINT)


def run(name: str, settings_type: type[S], parts: Callable[[S], Sequence[Part]]) -> None:
    """Runs the process until it is told to end; then raises `SystemExit`: 0 after a signal, 1 after a failure.

    `parts` is called inside the event loop; it builds and joins, opens nothing, and returns soon (a slow import
    belongs into the part's `start`, off the loop). Signals are handled here alone: libraries that run inside the
    loop (Faust, uvicorn, gRPC) are used without their own worker and signal handlers.
    """
    code = _run(name, settings_type, parts)
    for number in _ENDING:
        # The loop's handlers are gone with it: a second signal, now, must not turn a clean end into a kill.
        signal.signal(number, signal.SIG_IGN)
    raise SystemExit(code)


def _run(name: str, settings_type: type[S], parts: Callable[[S], Sequence[Part]]) -> int:
    try:
        settings = settings_type.load()
    except RapportError as error:
        sys.stderr.write(f"{name}: {error}\n")
        return 1
    configure_logging(name, settings.ops)
    with asyncio.Runner() as runner:
        code = runner.run(_until_signal(name, settings, parts))
        _leave_within(_EXIT_WITHIN_S, code)
    return code


def _leave_within(seconds: float, code: int) -> None:
    killer = threading.Timer(seconds, os._exit, [code])
    killer.daemon = True
    killer.start()


async def _until_signal(name: str, settings: S, parts: Callable[[S], Sequence[Part]]) -> int:
    told = asyncio.Event()
    for number in _ENDING:
        # Once set it stays set: Ctrl-C reaches the whole process group and the supervisor's SIGTERM follows it.
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    life = asyncio.create_task(_live(name, settings, parts))
    waiting = asyncio.create_task(told.wait())
    await asyncio.wait({life, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    life.cancel()
    try:
        await life
    except asyncio.CancelledError:
        log.info("stopped")
        return 0
    except RapportError as error:
        _explain(error)
    except Exception:
        log.exception("failed")
    return 1


def _explain(error: RapportError) -> None:
    """Foreseen: the line says what is wrong and what to do; a traceback would bury it."""
    log.error(str(error), error=type(error).__name__)


async def _live(name: str, settings: S, parts: Callable[[S], Sequence[Part]]) -> None:
    """Starts everything and watches it. Ends by cancellation or by what went wrong, with all parts stopped."""
    roster = Roster()
    roster.add([ops_server(settings.ops, roster.report), Tracing(name, settings.ops.otlp_endpoint)])
    starting = asyncio.create_task(_start(roster, settings, parts))
    try:
        await _watch(roster, starting)
    finally:
        starting.cancel()
        await asyncio.wait({starting})
        log.info("stopping")
        await roster.stop()


async def _start(roster: Roster, settings: S, parts: Callable[[S], Sequence[Part]]) -> None:
    await roster.start()
    roster.add(parts(settings))
    await roster.start()
    _calm_the_collector()
    roster.complete = True


def _calm_the_collector() -> None:
    """What stands now stands until the end: no need to look through it again and again.

    In the profiler the cycle collector took a third of the time, nearly all of it for modules and settings.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


async def _watch(roster: Roster, starting: asyncio.Task[None]) -> NoReturn:
    """Tells when all is ready, and raises when a part fails to start or is no longer live."""
    began = time.monotonic()
    ready, last_live = False, began
    while True:
        if starting.done():
            starting.result()
        report, now = roster.report(), time.monotonic()
        dead = [f"{name} ({health.detail})" for name, health in report.items() if not health.live]
        if not dead:
            last_live = now
        elif now - last_live >= _DEAD_AFTER_S:
            raise UnavailableError(f"no longer live: {', '.join(dead)}")
        unready = {name: health.detail for name, health in report.items() if not health.ready}
        if starting.done() and ready == bool(unready):
            ready = not unready
            _tell(roster, ready, unready, now - began)
        pause = _LOOK_RUNNING_S if ready else _LOOK_STARTING_S
        if starting.done():
            await asyncio.sleep(pause)
        else:
            await asyncio.wait({starting}, timeout=pause)


def _tell(roster: Roster, ready: bool, unready: dict[str, str], seconds: float) -> None:
    gauge("ready", "1 when every part of the process is ready").set(ready)
    if ready:
        log.info("ready", seconds=round(seconds, 2), **roster.addresses())
    else:
        log.warning("not ready", parts=unready)
