"""The table of processes."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from pathlib import Path

from rich.table import Table

from deploy.local.record import Record
from deploy.local.supervisor_client import Info

_COLOURS = {"ready": "green", "starting": "yellow", "stopping": "yellow", "restarting": "yellow", "dead": "red"}
_WORDS = {"BACKOFF": "restarting", "FATAL": "dead", "EXITED": "dead", "STOPPING": "stopping", "STOPPED": "stopped"}


def process_table(record: Record, states: Mapping[str, Info], ready: Collection[str]) -> Table:
    """Process, state, address, memory and how long it has been up. `ready`: names of those that answered last."""
    table = Table(box=None, pad_edge=False)
    for heading in ("process", "state", "address"):
        table.add_column(heading)
    table.add_column("memory", justify="right")
    table.add_column("up", justify="right")
    for entry in record.entries:
        info = states[entry.name]
        state = _WORDS.get(info.state) or ("ready" if entry.name in ready else "starting")
        colour = _COLOURS.get(state, "white")
        running = info.pid > 0
        table.add_row(
            entry.name,
            f"[{colour}]{state}[/]",
            entry.address,
            f"{resident_mb(info.pid)} MB" if running else "",
            _duration(time.time() - info.since) if running else "",
        )
    return table


def resident_mb(pid: int) -> int:
    """Memory that a process holds, in MB; what it shares with others (the same libraries) is divided among them."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("Pss:")), 0)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02}m" if hours else f"{minutes}m {rest:02}s"
