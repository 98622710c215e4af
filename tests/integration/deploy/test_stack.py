"""`up`, `status` and `down` with the real supervisor, Kafka and Redis, as a user runs them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local.home import Home
from deploy.local.processes import Process, Stage
from deploy.local.readiness import wait_ready
from deploy.local.record import entry_of
from deploy.local.shutdown import _of_this_stack, shut_down
from deploy.local.supervision import start_daemon
from deploy.local.supervisor_client import Supervisor
from rapport.ops.errors import UnavailableError

UP = ("up", "--ports", "random", "--only", "kafka,redis")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    shut_down(home)


def _command(home: Home, *arguments: str) -> list[str]:
    # Ctrl-C is ignored from birth by what a shell script started with "&", perhaps this run of the tests.
    given = ("--default-signal=INT", f"RAPPORT_HOME={home.folder}")
    return ["env", *given, sys.executable, "-m", "deploy.cli", *arguments]


def rapport(home: Home, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(_command(home, *arguments), capture_output=True, text=True, timeout=110, check=False)


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_up_is_idempotent_and_down_leaves_nothing(home: Home) -> None:
    up = rapport(home, *UP, "--detach")
    assert up.returncode == 0, up.stderr
    assert rapport(home, "status").returncode == 0
    again = rapport(home, *UP, "--detach")
    assert (again.returncode, "running already" in again.stdout) == (0, True)

    assert rapport(home, "down").returncode == 0
    assert _of_this_stack(home) == []
    assert rapport(home, "status").returncode == 1

    kept = rapport(home, *UP, "--detach")
    assert kept.returncode == 0, kept.stderr
    assert rapport(home, "reset", "--yes").returncode == 0
    assert list(home.folder.iterdir()) == []


def test_a_killed_server_comes_back_by_itself(home: Home) -> None:
    assert rapport(home, *UP, "--detach").returncode == 0
    supervisor = Supervisor(home.socket)
    before = supervisor.processes()["redis"].pid
    os.kill(before, signal.SIGKILL)
    until(lambda: supervisor.processes()["redis"].pid not in {0, before})
    until(lambda: rapport(home, "status").returncode == 0)


def test_ctrl_c_ends_everything(home: Home) -> None:
    with subprocess.Popen(_command(home, *UP), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as up:
        assert up.stdout is not None
        for line in up.stdout:
            if "Ctrl-C" in line:
                break
        up.send_signal(signal.SIGINT)
        said, _ = up.communicate(timeout=60)
    assert up.returncode == 0
    assert "Stopped." in said
    assert _of_this_stack(home) == []


def test_down_ends_what_a_killed_supervisor_left_behind(home: Home) -> None:
    assert rapport(home, *UP, "--detach").returncode == 0
    os.kill(Supervisor(home.socket).pid(), signal.SIGKILL)
    assert len(_of_this_stack(home)) == 2
    assert rapport(home, "down").returncode == 0
    assert _of_this_stack(home) == []


def test_a_process_that_keeps_dying_is_named_with_its_last_words(home: Home) -> None:
    home.make()
    dying = Process(
        "dying", Stage.SERVER, (sys.executable, "-c", "raise SystemExit('no such model')"), "-", "http://127.0.0.1:1/"
    )
    supervisor = start_daemon(home, [dying])
    supervisor.start(["dying"])
    with pytest.raises(UnavailableError, match=r"dying died again and again.*no such model"):
        wait_ready(home, supervisor, [entry_of(dying)], 60, lambda _: None)


def test_a_process_that_never_gets_ready_is_named(home: Home) -> None:
    home.make()
    idle = Process("idle", Stage.SERVER, ("sleep", "60"), "-", "http://127.0.0.1:1/")
    supervisor = start_daemon(home, [idle])
    supervisor.start(["idle"])
    with pytest.raises(UnavailableError, match="idle was not ready after 1 s"):
        wait_ready(home, supervisor, [entry_of(idle)], 1, lambda _: None)
