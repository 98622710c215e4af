"""`./rapport reset`."""

from __future__ import annotations

import shutil
from typing import Annotated

import typer

from deploy.cli.context import settings_and_home
from deploy.cli.output import out
from deploy.local import docker
from deploy.local.record import Record
from deploy.local.shutdown import shut_down


def run(yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False) -> None:
    """Stop everything and remove its data: all topics, profiles, vectors and logs of this folder."""
    _, home = settings_and_home()
    if not home.run.is_dir():
        out.print("Nothing to remove.")
        return
    if not yes:
        typer.confirm(f"Remove all data in {home.folder}?", abort=True)
    with home.locked():
        record = Record.read(home.record)
        shut_down(home, out.print)
        if record is not None and record.docker:
            docker.remove_servers()
        # Only what the stack made: the folder may have been one that holds other things too.
        for folder in (home.kafka, home.redis, home.logs, home.run):
            shutil.rmtree(folder, ignore_errors=True)
    out.print("Removed. Models and jars stay in their cache; Kafka or Redis elsewhere were not touched.")
