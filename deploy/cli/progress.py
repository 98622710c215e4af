"""What `up` shows while it works: a moving line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console

from deploy.cli.output import out


class Shown:
    """Says what is being done or awaited. Each text once."""

    def __init__(self, console: Console) -> None:
        self._console, self._last = console, ""
        self._status = console.status("starting")
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._status.stop()

    @property
    def seconds(self) -> float:
        """Since this display was made."""
        return time.monotonic() - self._began

    def note(self, text: str) -> None:
        """Something is being done."""
        if text == self._last:
            return
        self._last = text
        if self._console.is_terminal:
            self._status.update(f"{text} ({self.seconds:.0f} s)")
        else:
            self._console.print(f"[{self.seconds:5.1f} s] {text}", markup=False, soft_wrap=True)

    def done(self, text: str) -> None:
        """All of it is done: the last line, which belongs to the answer."""
        self._status.stop()
        out.print(text, markup=False, soft_wrap=True)

    def waiting(self, names: list[str]) -> None:
        """These are not ready yet."""
        self.note(f"waiting for {', '.join(names)}")
