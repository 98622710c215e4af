"""Starting, killing and pausing `counting_process`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rapport.ops.settings import Settings

ROOT = Path(__file__).resolve().parents[3]


class Process:
    """One consumer."""

    def __init__(self, runtime: str, settings: Settings, log: Path) -> None:
        kafka = settings.kafka.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        own = {f"RAPPORT_KAFKA__{name.upper()}": str(value) for name, value in kafka.items()}
        self._log = log.open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.bus.counting_process", runtime],
            cwd=ROOT,
            env=os.environ | own | {"PYTHONPATH": f"{ROOT}:{ROOT / 'shared'}"},
            stdout=self._log,
            stderr=self._log,
        )

    def kill(self) -> None:
        """As a crash would."""
        self._process.kill()
        self._process.wait()
        self._log.close()

    def terminate(self, within_s: float = 15) -> int:
        """As an orchestrator would. The exit code."""
        self._process.terminate()
        try:
            return self._process.wait(within_s)
        finally:
            self.kill()

    def pause(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None


@contextmanager
def process(runtime: str, settings: Settings, log: Path) -> Iterator[Process]:
    """A consumer for the length of the block; killed at its end, if it still is."""
    running = Process(runtime, settings, log)
    try:
        yield running
    finally:
        if running.alive:
            running.kill()
