"""Texts to ids for many callers: long lists on a thread of their own, what waits there together; short ones at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from rapport.models.ports import Role, SequenceBackend
from rapport.ops.tasks import end
from rapport.serving.device_thread import DeviceThread

Ids = list[list[int]]

# Characters that take some 0.1 ms: a hop to another thread and back takes as long, and that per call.
_AT_ONCE = 512
# Texts that go together; more would make later callers wait for the whole.
_TOGETHER = 1024


@dataclass(frozen=True, slots=True)
class _Waiting:
    texts: Sequence[str]
    role: Role
    ids: asyncio.Future[Ids]


class Tokenizing:
    """Runs a backend's tokeniser beside the device, which computes meanwhile."""

    def __init__(self, name: str, backend: SequenceBackend) -> None:
        self._backend, self._thread = backend, DeviceThread(f"{name}-tokenizer")
        self._waiting: list[_Waiting] = []
        self._pumping: asyncio.Task[None] | None = None

    async def run(self, texts: Sequence[str], role: Role) -> Ids:
        """Ids of each text. Raises what the tokeniser raises."""
        if len(texts) == 1 and len(texts[0]) <= _AT_ONCE:
            return self._backend.tokenize(texts, role)
        waiting = _Waiting(texts, role, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._pumping is None or self._pumping.done():
            self._pumping = asyncio.create_task(self._pump(), name="tokenise")
        return await waiting.ids

    async def stop(self) -> None:
        await end(self._pumping)
        self._thread.close()

    async def _pump(self) -> None:
        while self._waiting:
            role, taken = self._waiting[0].role, []
            texts: list[str] = []
            while self._waiting and self._waiting[0].role == role and len(texts) < _TOGETHER:
                waiting = self._waiting.pop(0)
                if not waiting.ids.done():
                    taken.append(waiting)
                    texts.extend(waiting.texts)
            try:
                ids = await self._thread.run(self._backend.tokenize, texts, role)
            except Exception as error:  # noqa: BLE001 - told to those whose texts these were
                _fail(taken, error)
                continue
            at = 0
            for waiting in taken:
                part, at = ids[at : at + len(waiting.texts)], at + len(waiting.texts)
                if not waiting.ids.done():
                    waiting.ids.set_result(part)


def _fail(taken: Sequence[_Waiting], error: Exception) -> None:
    for waiting in taken:
        if not waiting.ids.done():
            waiting.ids.set_exception(error)
