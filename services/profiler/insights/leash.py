"""Ends this process with the one that started it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from rapport.ops.parts import Health
from rapport.ops.tasks import end


class Leash:
    """A part: watches standard input, which the starter holds open. When it closes, this process is told to end."""

    name = "leash"

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        if not sys.stdin.isatty():
            self._task = asyncio.create_task(self._watch(), name=self.name)

    async def stop(self) -> None:
        task, self._task = self._task, None
        await end(task)

    def health(self) -> Health:
        return Health()

    async def _watch(self) -> None:
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
        await reader.read()
        os.kill(os.getpid(), signal.SIGTERM)
