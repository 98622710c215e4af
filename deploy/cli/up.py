"""`./rapport up`."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from deploy.cli.context import settings_and_home
from deploy.cli.foreground import endings_raise, stay
from deploy.cli.output import err, out
from deploy.cli.progress import Shown
from deploy.cli.table import process_table
from deploy.cli.welcome import what_to_try
from deploy.local.home import Home
from deploy.local.readiness import ready_names
from deploy.local.record import Record
from deploy.local.settings import LocalSettings
from deploy.local.stack import Options, bring_up, running, start_again
from deploy.local.supervisor_client import Supervisor
from rapport.ops.errors import ConfigurationError
from rapport.ops.logging import configure_logging
from rapport.ops.settings import OpsSettings


def run(
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return once everything is ready.")] = False,
    demo: Annotated[bool, typer.Option("--demo/--no-demo", help="With the demo shop's live traffic.")] = True,
    broker: Annotated[str | None, typer.Option(help="host:port of a Kafka of your own.")] = None,
    redis: Annotated[str | None, typer.Option(help="redis:// URL of a Redis of your own.")] = None,
    demo_rate: Annotated[float | None, typer.Option(min=0, help="Events a second of the demo shop.")] = None,
    demo_seed: Annotated[int | None, typer.Option(help="Seed of the demo shop: same seed, same shoppers.")] = None,
    ports: Annotated[str, typer.Option(help="default, random, or +N to add N to every port.")] = "default",
    only: Annotated[str | None, typer.Option(hidden=True, help="Names of processes, comma-separated.")] = None,
) -> None:
    """Start everything on this machine and wait until it is ready."""
    settings, home = settings_and_home()
    settings, free = _with_ports(settings, ports)
    names = frozenset(name.strip() for name in only.split(",")) if only is not None else None
    options = Options(broker, redis, demo, demo_rate, demo_seed, free, names)
    # What libraries log would tear the display; failures come as errors.
    configure_logging("rapport", OpsSettings(log_level="WARNING"))
    home.make()
    with endings_raise():
        record, started = _ensure_up(settings, home, options)
        # What ran already is ended by whoever started it.
        if started and not detach:
            stay(home, record, lambda: _show(home, record, settings, started=True))
        else:
            _show(home, record, settings, started=started)


def _ensure_up(settings: LocalSettings, home: Home, options: Options) -> tuple[Record, bool]:
    """What runs now, and whether it was this command that started it."""
    with home.locked(), Shown(err) as shown:
        record = running(home)
        if record is None:
            record = bring_up(settings, home, options, shown)
            shown.done(f"Rapport is up after {shown.seconds:.0f} s ({record.provider}).")
            return record, True
        again = start_again(settings, home, record, shown)
        also = f"; started again: {', '.join(again)}" if again else ""
        shown.done(f"Rapport is running already{also}.")
        return record, False


def _show(home: Home, record: Record, settings: LocalSettings, *, started: bool) -> None:
    # What was just waited for is not asked again: a busy process may be late with a second answer.
    ready = {entry.name for entry in record.entries} if started else ready_names(record.entries)
    out.print(process_table(record, Supervisor(home.socket).processes(), ready))
    for line in what_to_try(record, settings.gateway):
        out.print(line, soft_wrap=True, markup=False)


def _with_ports(settings: LocalSettings, ports: str) -> tuple[LocalSettings, bool]:
    """The settings with the offset that `--ports` asks for, and whether free ports are wanted."""
    if ports in {"default", "random"}:
        return settings, ports == "random"
    if not re.fullmatch(r"\+\d{1,5}", ports):
        raise ConfigurationError(f"{ports!r} is no choice of ports", field="--ports", fix="default, random or +1000")
    local = settings.local.model_copy(update={"port_offset": int(ports)})
    return settings.model_copy(update={"local": local}), False
