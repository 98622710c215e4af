"""Ending everything, and making sure of it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import groupby
from pathlib import Path

from deploy.local.home import Home
from deploy.local.record import Record
from deploy.local.supervision import STOP_S
from deploy.local.supervisor_client import ALIVE, Supervisor
from rapport.ops.errors import UnavailableError

# Supervisor kills a process after STOP_S; what is there later than this is beyond it.
PATIENCE_S = STOP_S + 5


def shut_down(home: Home, progress: Callable[[str], None] = lambda _: None) -> bool:
    """End all processes of this folder, last started first. Returns whether any ran. Afterwards none does."""
    supervisor = Supervisor(home.socket)
    ran = supervisor.answers()
    if ran:
        with suppress(UnavailableError):
            _stop_in_order(home, supervisor, progress)
        with suppress(UnavailableError):
            daemon = supervisor.pid()
            supervisor.shutdown()
            _wait_gone([daemon], PATIENCE_S)
    return end_leftovers(home) or ran


def end_leftovers(home: Home) -> bool:
    """End processes of this folder that no supervisor keeps any more (it was killed itself). True if there were any."""
    if Supervisor(home.socket).answers():
        return False
    left = _of_this_stack(home)
    for number, patience in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0)):
        remaining = [pid for pid in left if _exists(pid)]
        for pid in remaining:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        _wait_gone(remaining, patience)
    return bool(left)


def _stop_in_order(home: Home, supervisor: Supervisor, progress: Callable[[str], None]) -> None:
    record = Record.read(home.record)
    entries = sorted(record.entries if record else (), key=lambda entry: -entry.stage)
    for _, stage in groupby(entries, key=lambda entry: entry.stage):
        names = [entry.name for entry in stage]
        progress(f"stopping {', '.join(names)}")
        supervisor.stop(names)
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            states = supervisor.processes()
            if not any(states[name].state in ALIVE for name in names if name in states):
                break
            time.sleep(0.1)


def _of_this_stack(home: Home) -> list[int]:
    """Every process that was started by a supervisor of this folder: supervisor writes its address into them."""
    mark = b"SUPERVISOR_SERVER_URL=unix://" + os.fsencode(home.socket)
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            # Those of other users cannot be read and are not ours.
            with suppress(OSError):
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
    return found


def _wait_gone(pids: Iterable[int], patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while any(_exists(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)


def _exists(pid: int) -> bool:
    """False for one that has ended and only waits to be collected by its parent, too."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state != "Z"
