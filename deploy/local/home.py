"""The one folder with everything that the embedded stack keeps."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rapport.ops.errors import ConfigurationError, StateConflict

# The kernel's limit for the path of a unix socket is 107 bytes; supervisor binds a longer temporary name first.
LONGEST_SOCKET = 90


@dataclass(frozen=True, slots=True)
class Home:
    """Paths below the state folder."""

    folder: Path

    @property
    def kafka(self) -> Path:
        return self.folder / "kafka"

    @property
    def redis(self) -> Path:
        return self.folder / "redis"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def run(self) -> Path:
        return self.folder / "run"

    @property
    def record(self) -> Path:
        """What was started last: see `record.py`."""
        return self.run / "stack.json"

    @property
    def socket(self) -> Path:
        """The supervisor's socket; in the system's temporary folder where this folder's path is too long for one."""
        path = self.run / "supervisor.sock"
        if len(os.fsencode(path)) <= LONGEST_SOCKET:
            return path
        short = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"rapport-{short}.sock"

    def log(self, name: str) -> Path:
        """The log file of one process."""
        return self.logs / f"{name}.log"

    def make(self) -> None:
        """Make the folders. Raises `ConfigurationError` if they cannot be written."""
        try:
            for folder in (self.logs, self.run):
                folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.run):
                pass
        except OSError as error:
            raise ConfigurationError(
                f"cannot write to the state folder {self.folder}: {error.strerror}",
                field="RAPPORT_HOME",
                fix="make it writable, or set RAPPORT_HOME to another folder",
            ) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One command at a time changes the stack. Raises `StateConflict` if another one is at it."""
        with (self.run / "lock").open("w") as file:
            # Not inherited by what is started meanwhile (Python opens files so), or it would stay locked.
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise StateConflict(
                    f"another ./rapport up, down or reset is at work on {self.folder}", fix="wait for it and try again"
                ) from error
            yield
