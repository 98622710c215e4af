"""Bringing the whole stack up."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from deploy.local import own_settings
from deploy.local.docker import stop_servers
from deploy.local.home import Home
from deploy.local.ports import assign_ports, default_ports, taken
from deploy.local.processes import Process, Stage, Wiring, application
from deploy.local.provider import Servers, given_addresses, provide
from deploy.local.readiness import is_ready, wait_ready
from deploy.local.record import Record, entry_of
from deploy.local.settings import LocalSettings
from deploy.local.shutdown import end_leftovers, shut_down
from deploy.local.supervision import start_daemon
from deploy.local.supervisor_client import Supervisor
from rapport.ops.errors import ConfigurationError, UnavailableError


@dataclass(frozen=True, slots=True)
class Options:
    """What `up` can be told beyond the settings."""

    broker: str | None = None
    redis: str | None = None
    demo: bool = True
    demo_rate: float | None = None
    demo_seed: int | None = None
    free_ports: bool = False
    only: frozenset[str] | None = None
    """Names of the processes that are wanted; none: all."""


class Progress(Protocol):
    """Where `up` tells what it does."""

    def note(self, text: str) -> None: ...

    def waiting(self, names: list[str]) -> None: ...


def running(home: Home) -> Record | None:
    """What runs from this folder; none if nothing does."""
    return Record.read(home.record) if Supervisor(home.socket).answers() else None


def bring_up(settings: LocalSettings, home: Home, options: Options, progress: Progress) -> Record:
    """Start everything and return when all of it is ready. On any failure nothing is left running.

    Raises `ConfigurationError` (a port in use, no Java, an unwritable folder) or `UnavailableError` (a process that
    does not come up); both name the fix.
    """
    end_leftovers(home)
    wanted = _wanted(options)
    own_settings.check(wanted)
    ports = assign_ports(offset=settings.local.port_offset, overrides=settings.local.ports, free=options.free_ports)
    given = given_addresses(settings, options.broker, options.redis)
    own = {
        name: port
        for name, port in ports.items()
        if (owner := name.split(".")[0]) not in given.names and owner in wanted
    }
    _refuse_taken(own)
    servers = provide(settings, home, ports, given, [name for name in ("kafka", "redis") if name in own], progress.note)
    try:
        processes = _processes(settings, servers, ports, options, wanted)
        record = Record(
            servers.provider, servers.bootstrap_servers, tuple(map(entry_of, processes)), docker=servers.docker
        )
        record.write(home.record)
        _start(settings, home, servers, processes, progress)
    except BaseException:
        # Ctrl-C too: half a stack would hold the ports and hide the reason from the next try.
        shut_down(home)
        if servers.docker:
            stop_servers()
        raise
    return record


def start_again(settings: LocalSettings, home: Home, record: Record, progress: Progress) -> list[str]:
    """Start what has died for good or was never reached. Returns the names; empty if all of it ran already."""
    supervisor = Supervisor(home.socket)
    states = supervisor.processes()
    missing = [entry for entry in record.entries if states[entry.name].state in {"FATAL", "EXITED", "STOPPED"}]
    supervisor.start(entry.name for entry in missing)
    wait_ready(home, supervisor, missing, settings.local.ready_s, progress.waiting)
    return [entry.name for entry in missing]


def _processes(
    settings: LocalSettings, servers: Servers, ports: dict[str, int], options: Options, wanted: frozenset[str]
) -> list[Process]:
    wiring = Wiring(
        servers.bootstrap_servers,
        servers.redis_url,
        ports,
        settings.models,
        settings.gateway,
        options.demo_rate,
        options.demo_seed,
    )
    processes = [*servers.processes, *application(wiring)]
    return [process for process in processes if process.name in wanted]


def _wanted(options: Options) -> frozenset[str]:
    known = frozenset(name for name in default_ports() if "." not in name) | {"demo"}
    if options.only is None:
        return known if options.demo else known - {"demo"}
    unknown = options.only - known
    if unknown:
        raise ConfigurationError(
            f"no process is named {min(unknown)!r}", field="--only", fix=f"some of {', '.join(sorted(known))}"
        )
    return options.only


def _start(
    settings: LocalSettings, home: Home, servers: Servers, processes: Sequence[Process], progress: Progress
) -> None:
    stages = {stage: [process for process in processes if process.stage is stage] for stage in Stage}
    supervisor = start_daemon(home, processes)

    def wait(waited: Sequence[Process]) -> None:
        wait_ready(home, supervisor, [entry_of(each) for each in waited], settings.local.ready_s, progress.waiting)

    supervisor.start(process.name for process in stages[Stage.SERVER])
    if stages[Stage.WORKER]:
        # Meanwhile the servers start.
        prepare_models(progress.note)
    wait(stages[Stage.SERVER])
    if is_ready(f"kafka://{servers.bootstrap_servers}"):
        progress.note("creating topics")
        create_topics(settings, servers)
    between = [*stages[Stage.WORKER], *stages[Stage.SERVICE], *stages[Stage.EDGE]]
    supervisor.start(process.name for process in between)
    wait(between)
    # Last, so that its first shoppers already get answers.
    supervisor.start(process.name for process in stages[Stage.DEMO])
    wait(stages[Stage.DEMO])


def create_topics(settings: LocalSettings, servers: Servers) -> None:
    """Every topic of the registry, with its partitions, retention and compaction."""
    from rapport.bus.topics import ensure_topics
    from rapport.events.topics import TOPICS

    kafka = settings.kafka.model_copy(update={"bootstrap_servers": servers.bootstrap_servers})
    asyncio.run(ensure_topics(kafka, TOPICS.values()))


def prepare_models(progress: Callable[[str], None]) -> None:
    """Convert the models into the cache, in a process of its own: what that takes in memory goes with it."""
    command = [sys.executable, "-m", "deploy.cli", "models", "prepare"]
    last = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as preparing:
        try:
            for line in preparing.stdout or ():
                last = line.strip() or last
                progress(last)
        except BaseException:
            # Leaving the block waits for it, which may take minutes.
            preparing.terminate()
            raise
    if preparing.returncode != 0:
        raise UnavailableError(f"the models could not be prepared: {last}", fix="./rapport models prepare shows more")


def _refuse_taken(wanted: dict[str, int]) -> None:
    busy = taken(wanted.values())
    if busy:
        name = next(name for name, port in wanted.items() if port == busy[0])
        raise ConfigurationError(
            f"port {busy[0]} ({name}) is in use",
            field="port",
            fix="end what uses it (ss -ltnp shows it), or move all ports: ./rapport up --ports +1000",
        )
