"""Keeps the analyst running beside the profiler, as a process of its own: its work never holds an event up."""

from __future__ import annotations

import asyncio
import contextlib
import sys

import structlog

from rapport.ops.parts import Health
from rapport.ops.tasks import end

log = structlog.stdlib.get_logger(__name__)
_MODULE = "services.profiler.insights"
# Seconds before it is started again, doubling; and how long it may take to end.
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _ENDS_WITHIN_S = 5.0, 300.0, 5.0
# Having run for so long it counts as well again.
_WELL_AFTER_S = 60.0


class AnalystProcess:
    """A part. The profiler serves without the analyst: it is ready and live whatever becomes of it."""

    name = "analyst"

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._detail = "not started"

    async def start(self) -> None:
        self._task = asyncio.create_task(self._keep(), name=self.name)

    async def stop(self) -> None:
        task, self._task = self._task, None
        await end(task)
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            await _ended(process)

    def health(self) -> Health:
        return Health(detail=self._detail)

    async def _keep(self) -> None:
        pause = _FIRST_PAUSE_S
        while True:
            began = asyncio.get_running_loop().time()
            # Its standard input is a pipe of ours: it closes when this process dies, and the analyst ends with it.
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", _MODULE, stdin=asyncio.subprocess.PIPE
            )
            self._detail = f"runs as process {self._process.pid}"
            code = await self._process.wait()
            ran = asyncio.get_running_loop().time() - began
            pause = _FIRST_PAUSE_S if ran > _WELL_AFTER_S else min(2 * pause, _LONGEST_PAUSE_S)
            self._detail = f"ended with {code}, starts again in {pause:.0f} s"
            log.warning("the analyst ended", code=code, again_in_s=pause)
            await asyncio.sleep(pause)


async def _ended(process: asyncio.subprocess.Process) -> None:
    process.terminate()
    try:
        async with asyncio.timeout(_ENDS_WITHIN_S):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
