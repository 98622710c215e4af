"""`./rapport down`."""

from __future__ import annotations

from deploy.cli.context import settings_and_home
from deploy.cli.output import out
from deploy.local.docker import stop_servers
from deploy.local.record import Record
from deploy.local.shutdown import shut_down


def run() -> None:
    """Stop everything; the data stays."""
    _, home = settings_and_home()
    if not home.run.is_dir():
        out.print("Nothing was running.")
        return
    with home.locked():
        record = Record.read(home.record)
        ran = shut_down(home, out.print)
        if record is not None and record.docker:
            out.print("stopping kafka, redis (Docker)")
            stop_servers()
        home.record.unlink(missing_ok=True)
    out.print("Stopped." if ran else "Nothing was running.")
