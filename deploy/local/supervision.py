"""Supervisor's configuration and daemon: it keeps the processes, with their logs and a bounded number of restarts."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from deploy.local.child import last_lines
from deploy.local.home import Home
from deploy.local.processes import Process, Stage
from deploy.local.supervisor_client import Supervisor
from rapport.ops.errors import ConfigurationError, UnavailableError

# How long a process must stay up to count as started. One that dies earlier is tried again RETRIES times, with longer
# and longer pauses, then left as FATAL: so this has to cover the time in which a bad model or setting shows.
UP_AFTER_S = {Stage.SERVER: 5, Stage.WORKER: 40, Stage.SERVICE: 20, Stage.EDGE: 10, Stage.DEMO: 10}
RETRIES = 4
# Kafka closes its log and a service drains its calls; after this they are killed.
STOP_S = 30
LOG_BYTES, LOG_COPIES = 10_000_000, 3


def render(home: Home, processes: Sequence[Process]) -> str:
    """The text of supervisord.conf."""
    head = f"""\
[unix_http_server]
file={home.socket}
chmod=0600

[supervisord]
logfile={home.log("supervisord")}
logfile_maxbytes={LOG_BYTES}
logfile_backups=1
pidfile={home.run / "supervisord.pid"}
directory={home.run}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""
    return head + "".join(_program(home, process) for process in processes)


def start_daemon(home: Home, processes: Sequence[Process]) -> Supervisor:
    """Start supervisord with every process known to it and none running."""
    config = home.run / "supervisord.conf"
    config.touch(mode=0o600)
    config.write_text(render(home, processes))
    command = [sys.executable, "-m", "supervisor.supervisord", "--configuration", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        reason = (done.stderr + done.stdout).strip().splitlines()[-1:]
        raise UnavailableError(f"supervisord did not start: {reason}", fix=f"see {config}")
    supervisor = Supervisor(home.socket)
    deadline = time.monotonic() + 20
    while not supervisor.answers():
        if time.monotonic() > deadline:
            raise UnavailableError(
                f"supervisord does not answer: {last_lines(home.log('supervisord'))}", fix="./rapport down"
            )
        time.sleep(0.05)
    return supervisor


def _program(home: Home, process: Process) -> str:
    environment = ",".join(f'{name}="{_escape(name, value)}"' for name, value in sorted(process.environment.items()))
    return f"""
[program:{process.name}]
command={_escape("command", shlex.join(process.command), quoted=False)}
environment={environment}
autostart=false
autorestart=true
startsecs={UP_AFTER_S[process.stage]}
startretries={RETRIES}
stopsignal=TERM
stopwaitsecs={STOP_S}
killasgroup=true
redirect_stderr=true
stdout_logfile={home.log(process.name)}
stdout_logfile_maxbytes={LOG_BYTES}
stdout_logfile_backups={LOG_COPIES}
"""


def _escape(name: str, value: str | Path, *, quoted: bool = True) -> str:
    """As supervisor's configuration wants it: no way to write a quote or a line break in a value exists there."""
    text = str(value)
    if "\n" in text or (quoted and '"' in text):
        raise ConfigurationError("a quote or line break cannot be handed to a process", field=name, fix="remove it")
    return text.replace("%", "%%")
