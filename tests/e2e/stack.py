"""The whole of Rapport as a user runs it: `./rapport up --detach`, and `./rapport down` at the end."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.local.home import Home
from deploy.local.processes import PRIVATE_KEY, WRITE_KEY
from deploy.local.readiness import ready_names
from deploy.local.record import Record
from deploy.local.supervisor_client import Supervisor

REPOSITORY = Path(__file__).resolve().parents[2]
# From a prepared model cache it takes half a minute on two idle cores; the first run converts the models before.
UP_S, COMMAND_S = 400.0, 100.0


class StackError(AssertionError):
    """A command of the launcher failed; what it said is in the message."""


class Stack:
    """One running stack. Commands go through the launcher's own entry point, each in a process of its own."""

    private_key, write_key = PRIVATE_KEY, WRITE_KEY

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.home = Home(folder)
        self._environment = {"RAPPORT_HOME": str(folder), **(environment or {})}

    def up(self, *options: str) -> None:
        """Starts everything on free ports, without the demo shop."""
        self.rapport("up", "--detach", "--no-demo", "--ports", "random", *options, within_s=UP_S)

    def rapport(self, *arguments: str, within_s: float = COMMAND_S) -> str:
        """Runs `./rapport …`; what it said. Raises `StackError` unless it succeeds."""
        assignments = [f"{name}={value}" for name, value in self._environment.items()]
        command = ["env", *assignments, sys.executable, "-m", "deploy.cli", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, timeout=within_s, check=False)
        if done.returncode != 0:
            raise StackError(f"rapport {' '.join(arguments)}: {done.stdout}{done.stderr}\n{self.last_lines()}")
        return done.stdout

    @property
    def bootstrap_servers(self) -> str:
        return self._record().bootstrap_servers

    def address(self, name: str) -> str:
        """host:port of a process; the gateway's is a URL."""
        address = self._record().address(name)
        assert address is not None
        return address

    @property
    def redis_url(self) -> str:
        return f"redis://{self.address('redis')}/0"

    def names(self) -> list[str]:
        """Every process, servers first."""
        return [entry.name for entry in self._record().entries]

    def pid(self, name: str) -> int:
        """Its process id; 0 while it does not run."""
        return Supervisor(self.home.socket).processes()[name].pid

    def is_ready(self, name: str) -> bool:
        entries = [entry for entry in self._record().entries if entry.name == name]
        return bool(ready_names(entries))

    def last_lines(self, count: int = 8) -> str:
        """The end of every log."""
        parts = []
        for log in sorted(self.home.logs.glob("*.log")):
            lines = log.read_text(errors="replace").splitlines()[-count:]
            parts.append("\n".join([f"--- {log.stem}", *(line[:600] for line in lines)]))
        return "\n".join(parts)

    def _record(self) -> Record:
        record = Record.read(self.home.record)
        assert record is not None
        return record


@contextmanager
def whole_stack(*options: str, environment: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """A stack on free ports with a state folder of its own, without the demo shop; gone after the block."""
    with tempfile.TemporaryDirectory(prefix="rapport-e2e-", ignore_cleanup_errors=True) as folder:
        stack = Stack(Path(folder), environment)
        try:
            stack.up(*options)
            yield stack
        finally:
            stack.rapport("down")
