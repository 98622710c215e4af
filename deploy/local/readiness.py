"""Waiting until processes answer."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from deploy.local.child import last_lines
from deploy.local.home import Home
from deploy.local.kafka_server import answers_metadata
from deploy.local.record import Entry
from deploy.local.redis_server import answers_ping
from deploy.local.supervisor_client import Supervisor
from rapport.ops.errors import UnavailableError

# Quick enough that waiting adds nothing one would notice, slow enough to leave the cores to what is starting.
ASK_EVERY_S = 0.3
ANSWER_S = 2.0


def is_ready(health: str) -> bool:
    """Whether what is behind a health URL (http, kafka, redis) can do its work now."""
    scheme = urlsplit(health).scheme
    if scheme == "kafka":
        return answers_metadata(health.removeprefix("kafka://"), ANSWER_S)
    if scheme == "redis":
        return answers_ping(health, ANSWER_S)
    try:
        with urllib.request.urlopen(health, timeout=ANSWER_S) as answer:  # noqa: S310 - our own http URL
            return bool(answer.status == 200)
    except OSError:
        return False


def ready_names(entries: Sequence[Entry]) -> set[str]:
    """Names of those that are ready, asked at the same time: one that hangs must not hide the others."""
    if not entries:
        return set()
    with ThreadPoolExecutor(len(entries)) as pool:
        answers = pool.map(lambda entry: is_ready(entry.health), entries)
        return {entry.name for entry, ready in zip(entries, answers, strict=True) if ready}


def wait_ready(
    home: Home,
    supervisor: Supervisor,
    entries: Sequence[Entry],
    timeout_s: float,
    progress: Callable[[list[str]], None],
) -> None:
    """Return once all are ready; `progress` gets the names that are still awaited.

    Raises `UnavailableError` that names the process, its last log lines and the fix, when one has died for good or
    takes longer than `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    waiting = list(entries)
    while waiting:
        progress([entry.name for entry in waiting])
        states = supervisor.processes()
        for entry in waiting:
            if states[entry.name].state in {"FATAL", "EXITED", "STOPPED"}:
                raise _failure(home, entry.name, "died again and again", "mend what it says and run ./rapport up again")
        ready = ready_names(waiting)
        waiting = [entry for entry in waiting if entry.name not in ready]
        if waiting and time.monotonic() > deadline:
            slow = f"on a slow machine RAPPORT_LOCAL__READY_S={2 * timeout_s:.0f}"
            raise _failure(home, waiting[0].name, f"was not ready after {timeout_s:.0f} s", slow)
        if waiting:
            time.sleep(ASK_EVERY_S)


def _failure(home: Home, name: str, what: str, fix: str) -> UnavailableError:
    log = home.log(name)
    said = last_lines(log) or "nothing"
    return UnavailableError(f"{name} {what}. It said last: {said}", fix=f"{fix}; whole log: {log}")
