"""`./rapport logs`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.context import settings_and_home
from deploy.local.home import Home
from rapport.ops.errors import NotFound

LOOK_EVERY_S = 0.25
# Enough for some hundred lines; the file itself may have grown to 10 MB.
TAIL_BYTES = 200_000


def run(
    name: Annotated[str | None, typer.Argument(help="A process; none: all of them.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the last lines of each.")] = 20,
) -> None:
    """Show the logs of one process or of all."""
    _, home = settings_and_home()
    logs = _logs(home, name)
    width = max(map(len, logs)) if name is None else 0
    followed = {each: Tail(path) for each, path in logs.items()}
    for each, tail in followed.items():
        _print(each, tail.last(lines), width)
    while follow:
        for each, tail in followed.items():
            _print(each, tail.new(), width)
        time.sleep(LOOK_EVERY_S)


class Tail:
    """The end of a log file that grows and is rotated."""

    def __init__(self, path: Path) -> None:
        self._path, self._place, self._rest = path, (0, 0), b""

    def last(self, count: int) -> list[str]:
        """The last `count` whole lines; `new` continues after them."""
        with self._path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL_BYTES))
            lines = self._split(file.read())
            self._place = (self._path.stat().st_ino, file.tell())
        return lines[len(lines) - count :] if count < len(lines) else lines

    def new(self) -> list[str]:
        """Lines that were written since the last call."""
        inode, offset = self._place
        # Between two files, when the log is being rotated, there is none.
        with suppress(FileNotFoundError), self._path.open("rb") as file:
            status = self._path.stat()
            if status.st_ino != inode or status.st_size < offset:
                offset = 0
            file.seek(offset)
            lines = self._split(file.read())
            self._place = (status.st_ino, file.tell())
            return lines
        return []

    def _split(self, data: bytes) -> list[str]:
        *whole, self._rest = (self._rest + data).split(b"\n")
        return [line.decode(errors="replace") for line in whole]


def _logs(home: Home, name: str | None) -> dict[str, Path]:
    logs = {path.stem: path for path in sorted(home.logs.glob("*.log"))}
    if name is None and logs:
        return logs
    if name not in logs:
        known = ", ".join(logs)
        raise NotFound(
            f"no log of {name!r}" if name else "no logs yet", fix=f"one of {known}" if known else "./rapport up"
        )
    return {name: logs[name]}


def _print(name: str, lines: Iterator[str] | list[str], width: int) -> None:
    for line in lines:
        # No colours or markup: log lines hold brackets of their own, and are meant to be piped.
        print(f"{name:<{width}} | {line}" if width else line, flush=True)
