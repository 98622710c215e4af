"""One thread a device: the only one that computes, loads or warms there.

Two threads on one device would each bring their own pool of helpers and fight for the same cores; on a GPU they would
take turns anyway. What is queued here first runs first, so models that share a device load one after another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from rapport.ops.parts import Health

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class DeviceThread:
    """Runs functions one at a time, off the event loop; a part, behind which stand the models that share it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(
        self, work: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Result:
        """What `work` returns or raises. Cancelled before its turn it never runs; later, its result is dropped."""
        return await asyncio.wrap_future(self._executor.submit(work, *args, **kwargs))

    async def start(self) -> None:
        """The thread comes with its first work."""

    async def stop(self) -> None:
        self.close()

    def health(self) -> Health:
        return Health()

    def close(self) -> None:
        """Drops what has not begun; what runs is left to finish by itself."""
        self._executor.shutdown(wait=False, cancel_futures=True)
