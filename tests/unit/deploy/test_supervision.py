"""The generated supervisor configuration says to supervisor itself what we meant."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from supervisor.options import ServerOptions

from deploy.local.home import LONGEST_SOCKET, Home
from deploy.local.processes import Process, Stage
from deploy.local.supervision import render
from rapport.ops.errors import ConfigurationError

PROCESS = Process(
    "worker",
    Stage.WORKER,
    ("/usr/bin/python 3", "-m", "a.b"),
    "127.0.0.1:1",
    "http://127.0.0.1:2/",
    {"RAPPORT_REDIS__URL": "redis://:p%40ss@host/0", "RAPPORT_MODELS__CACHE": "/home/a b/c,d"},
)


def _parsed(home: Home, process: Process) -> ServerOptions:
    home.make()
    config = home.run / "supervisord.conf"
    config.write_text(render(home, [process]))
    options = ServerOptions()
    options.realize(["--configuration", str(config)])
    return options


def test_supervisor_reads_commands_and_environment_as_they_were_meant(tmp_path: Path) -> None:
    options = _parsed(Home(tmp_path / "home"), PROCESS)
    [group] = options.process_group_configs
    [program] = group.process_configs
    assert program.name == "worker"
    assert program.command == "'/usr/bin/python 3' -m a.b"
    assert program.environment == PROCESS.environment
    assert program.autostart is False
    assert program.stdout_logfile_maxbytes > 0


def test_what_cannot_be_written_is_refused_and_named(tmp_path: Path) -> None:
    odd = replace(PROCESS, environment={"RAPPORT_REDIS__URL": 'redis://:"@host'})
    with pytest.raises(ConfigurationError, match="RAPPORT_REDIS__URL"):
        render(Home(tmp_path), [odd])


def test_a_deep_state_folder_gets_a_socket_that_the_system_can_open(tmp_path: Path) -> None:
    deep = Home(tmp_path / ("d" * 120))
    assert len(str(deep.socket)) <= LONGEST_SOCKET
    assert deep.socket != Home(tmp_path / ("e" * 120)).socket


def test_a_state_folder_that_cannot_be_written_is_named_with_a_fix() -> None:
    with pytest.raises(ConfigurationError, match="RAPPORT_HOME"):
        Home(Path("/proc/rapport")).make()
