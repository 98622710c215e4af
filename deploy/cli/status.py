"""`./rapport status`."""

from __future__ import annotations

import typer

from deploy.cli.context import require_running, settings_and_home
from deploy.cli.output import out
from deploy.cli.table import process_table
from deploy.local.readiness import ready_names
from deploy.local.supervisor_client import Supervisor


def run() -> None:
    """What runs, in which state, where. Exit code 0 only if all of it is ready."""
    _, home = settings_and_home()
    record = require_running(home)
    ready = ready_names(record.entries)
    out.print(process_table(record, Supervisor(home.socket).processes(), ready))
    if len(ready) < len(record.entries):
        raise typer.Exit(1)
