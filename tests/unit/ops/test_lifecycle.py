"""How a process begins and ends, tried on real processes."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

# One part that behaves as told by the first argument.
_PROCESS = textwrap.dedent("""
    import asyncio, sys, time
    from rapport.ops.errors import UnavailableError
    from rapport.ops.lifecycle import run
    from rapport.ops.parts import Health
    from rapport.ops.settings import Settings

    class Subject:
        name, address, live = "subject", "nowhere:1", True

        async def start(self):
            match sys.argv[1]:
                case "loads":
                    await asyncio.to_thread(time.sleep, 120)
                case "fails":
                    raise UnavailableError("kafka does not answer", fix="start it")
                case "breaks":
                    raise KeyError("bug")
                case "dies":
                    asyncio.get_running_loop().call_later(0.1, setattr, self, "live", False)

        async def stop(self):
            sys.stderr.write("subject stopped\\n")

        def health(self):
            return Health(live=self.live, detail="no progress")

    run("tried", Settings, lambda settings: [Subject()])
""")


class Process:
    def __init__(self, folder: Path, mode: str, **environment: str) -> None:
        self.log = folder / "log"
        with self.log.open("wb") as out:
            self._child = subprocess.Popen(
                [sys.executable, "-c", _PROCESS, mode],
                stdout=out,
                stderr=out,
                env={**os.environ, "RAPPORT_OPS__LOG_FORMAT": "json", **environment},
            )

    @property
    def text(self) -> str:
        return self.log.read_text()

    def until(self, met: Callable[[], bool], seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not met():
            assert time.monotonic() < deadline, self.text
            time.sleep(0.02)

    def send(self, number: int) -> None:
        self._child.send_signal(number)

    def code(self) -> int:
        return self._child.wait(20)

    def end(self) -> None:
        self._child.kill()
        self._child.wait()


Start = Callable[..., Process]


@pytest.fixture
def start(tmp_path: Path, request: pytest.FixtureRequest) -> Start:
    def begin(mode: str, **environment: str) -> Process:
        process = Process(tmp_path, mode, **environment)
        request.addfinalizer(process.end)
        return process

    return begin


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_0_after_its_parts_stopped(start: Start, number: int) -> None:
    process = start("runs")
    process.until(lambda: '"event":"ready"' in process.text)
    assert re.search(r'"subject":"nowhere:1"', process.text), "the ready line tells the addresses"
    process.send(number)
    process.send(signal.SIGTERM)  # Ctrl-C in a terminal is followed by the supervisor's own signal
    assert process.code() == 0
    assert "subject stopped" in process.text
    assert "Traceback" not in process.text


def test_while_a_model_loads_it_is_live_and_not_ready_and_can_be_ended(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = start("loads", RAPPORT_OPS__PORT=str(port))

    def answers() -> bool:
        try:
            return bool(urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live").status == 200)
        except OSError:
            return False

    process.until(answers)
    with pytest.raises(urllib.error.HTTPError, match="503"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready")
    process.send(signal.SIGTERM)
    # The loading thread would hold the interpreter for two minutes.
    assert process.code() == 0
    assert "subject stopped" in process.text


@pytest.mark.parametrize(
    ("mode", "said", "traceback"),
    [
        ("fails", "kafka does not answer (start it)", False),
        ("dies", "no longer live: subject (no progress)", False),
        ("breaks", "KeyError", True),
    ],
)
def test_a_failure_ends_it_with_1_and_says_why(start: Start, mode: str, said: str, traceback: bool) -> None:
    process = start(mode)
    assert process.code() == 1
    assert said in process.text
    assert ("Traceback" in process.text) == traceback
    assert "subject stopped" in process.text


def test_a_wrong_setting_is_one_line(start: Start) -> None:
    process = start("runs", RAPPORT_OPS__LOG_FORM="json")
    assert process.code() == 1
    assert process.text == ("tried: RAPPORT_OPS__LOG_FORM: no such setting (did you mean RAPPORT_OPS__LOG_FORMAT?)\n")
