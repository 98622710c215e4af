"""A server as a child process of a test: its log in a file, and no way to outlive its parent."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rapport.ops.errors import UnavailableError

STOP_S = 20.0
# Waits at the other end of a pipe: when the parent is gone in whatever way (kill -9 too), the pipe closes and the
# server is ended. "released" says that it ended already, so that its number, perhaps given out again, is left alone.
_LEASH = 'read -r word; [ "$word" = released ] || kill -9 "$0"'


class Child:
    """One running server."""

    def __init__(self, name: str, command: Sequence[str], log: Path) -> None:
        self.name, self.log = name, log
        with log.open("ab") as out:
            # A session of its own: Ctrl-C in the terminal ends the test run first, which then ends its servers.
            self._process = subprocess.Popen(
                command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True
            )
        self._leash = subprocess.Popen(
            ["sh", "-c", _LEASH, str(self._process.pid)], stdin=subprocess.PIPE, start_new_session=True
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_ready(self, ready: Callable[[], bool], timeout_s: float) -> None:
        """Return once `ready()`. Raises `UnavailableError` with the last log lines if it ends or takes too long."""
        deadline = time.monotonic() + timeout_s
        while not ready():
            ended = self._process.poll() is not None
            if ended or time.monotonic() > deadline:
                what = "ended" if ended else f"was not ready after {timeout_s:.0f} s"
                self.stop()
                raise UnavailableError(
                    f"{self.name} {what}; its last lines: {last_lines(self.log)}", fix=f"see {self.log}"
                )
            time.sleep(0.1)

    def stop(self) -> None:
        """End it in order (SIGTERM), by force after 20 s."""
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._release()

    def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        self._process.kill()
        self._release()

    def _release(self) -> None:
        self._process.wait()
        if self._leash.poll() is None:
            self._leash.communicate(b"released\n")


def last_lines(log: Path, count: int = 5) -> str:
    """The last lines of a log file, joined into one. Empty for a file that does not exist."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 8192))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return " | ".join(line.strip() for line in lines[-count:] if line.strip())
