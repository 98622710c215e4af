"""Calls in, token-budget batches on the device, rows back to each call.

First in, first out within a priority; no artificial delay: while one batch runs the next one fills. Bounded: a full
queue refuses. Work that nobody waits for any more (cancelled, expired) is dropped before it reaches the device.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from rapport.models.ports import Role, Rows, SequenceBackend
from rapport.ops.errors import DeadlineError, ModelError, OverloadedError, RapportError, UnavailableError
from rapport.ops.parts import Health
from rapport.serving.batch_plan import alike
from rapport.serving.deadline import deadline
from rapport.serving.device_thread import DeviceThread
from rapport.serving.figures import Figures
from rapport.serving.lanes import Lanes
from rapport.serving.vocabulary import Priority


@dataclass(frozen=True, slots=True)
class Answer:
    """`rows`: float32 [texts, dimensions], in the order of the texts. Times in seconds."""

    rows: Rows
    tokens: int
    queue_s: float
    compute_s: float


@dataclass(eq=False, slots=True)
class _Call:
    sequences: Sequence[Sequence[int]]
    rows: Rows
    arrived: float
    expires: float | None
    answer: asyncio.Future[Answer]
    taken: int = 0
    done: int = 0
    queue_s: float = 0.0
    compute_s: float = 0.0

    def over(self) -> bool:
        """True when nobody waits; an expired call is told so."""
        if not self.answer.done() and self.expires is not None and time.monotonic() >= self.expires:
            self.answer.set_exception(DeadlineError("the time ran out in the queue"))
        return self.answer.done()


@dataclass(frozen=True, slots=True)
class _Text:
    """One text of one call, on its way through a batch."""

    call: _Call
    at: int
    sequence: Sequence[int] = field(repr=False)


class Batcher:
    """Runs one backend for many callers."""

    def __init__(
        self, name: str, backend: SequenceBackend, device: DeviceThread, *, max_queue: int, max_batch_tokens: int
    ) -> None:
        """`max_queue`: calls accepted and not answered. `max_batch_tokens`: most padded tokens in one execution."""
        self.backend = backend
        self._device, self._tokenizing = device, DeviceThread(f"{name}-tokenizer")
        self._max_queue, self._budget = max_queue, min(max_batch_tokens, backend.batch_tokens)
        self._lanes: Lanes[_Call] = Lanes()
        self._pending = 0
        self._arrived = asyncio.Event()
        self._figures = Figures(name)
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._running = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Calls that still wait end with `UnavailableError`."""
        running, self._running = self._running, None
        if running is None:
            return
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        for lane in self._lanes.turn():
            for call in lane:
                if not call.answer.done():
                    call.answer.set_exception(UnavailableError("the worker is stopping"))
            lane.clear()
        self._tokenizing.close()

    def health(self) -> Health:
        if self._running is None or self._running.done():
            return Health(live=False, ready=False, detail="the batching loop has ended")
        return Health(detail=str(self.backend.model))

    async def run(self, texts: Sequence[str], role: Role, priority: Priority) -> Answer:
        """The rows of `texts` (not empty). The deadline is that of the call being served.

        Raises `OverloadedError` when the queue is full, `DeadlineError` when the time ran out before the last text
        was computed, `ModelError` when the model failed on these texts.
        """
        if self._pending >= self._max_queue:
            self._figures.failed("rejected")
            raise OverloadedError(f"{self._pending} calls are waiting already", fix="try again later")
        self._count(+1)
        try:
            answer = await self._through(texts, role, priority)
        except (asyncio.CancelledError, DeadlineError):
            self._figures.failed("canceled")
            raise
        except ModelError:
            self._figures.failed("backend")
            raise
        finally:
            self._count(-1)
        self._figures.answered(answer.queue_s, answer.tokens)
        return answer

    async def _through(self, texts: Sequence[str], role: Role, priority: Priority) -> Answer:
        arrived, expires = time.monotonic(), deadline()
        sequences = await self._tokenizing.run(self.backend.tokenize, texts, role)
        rows = np.empty((len(sequences), self.backend.dimensions), dtype=np.float32)
        call = _Call(sequences, rows, arrived, expires, asyncio.get_running_loop().create_future())
        self._lanes.put(call, priority)
        self._arrived.set()
        try:
            return await call.answer
        except BaseException:
            # Gone at once, not when its turn comes: callers who give up quickly must not fill the queue.
            self._lanes.drop(call, priority)
            raise

    def _count(self, change: int) -> None:
        self._pending += change
        self._figures.pending(self._pending)

    async def _run(self) -> None:
        while True:
            self._arrived.clear()
            batch = self._take()
            if not batch:
                await self._arrived.wait()
            for part in alike(batch, self._budget):
                await self._execute([text for text in part if not text.call.over()])

    def _take(self) -> list[_Text]:
        """The next texts in line, as many as the budget holds; at least one if any wait."""
        taken: list[_Text] = []
        tokens = 0
        for lane in self._lanes.turn():
            while lane:
                call = lane[0]
                while not call.over() and call.taken < len(call.sequences):
                    sequence = call.sequences[call.taken]
                    tokens += len(sequence)
                    if taken and tokens > self._budget:
                        return taken
                    taken.append(_Text(call, call.taken, sequence))
                    call.taken += 1
                lane.popleft()
        return taken

    async def _execute(self, texts: Sequence[_Text]) -> None:
        if not texts:
            return
        began = time.monotonic()
        try:
            rows = await self._device.run(self._forward, [text.sequence for text in texts])
        except Exception as error:  # noqa: BLE001 - whatever a model raises must end at the calls it concerns
            await self._part(texts, error)
            return
        took = time.monotonic() - began
        self._figures.executed(len(texts), took)
        for call in {text.call for text in texts}:
            if call.done == 0:
                call.queue_s = began - call.arrived
            call.compute_s += took
        for text, row in zip(texts, rows, strict=True):
            text.call.rows[text.at] = row
            text.call.done += 1
            if text.call.done == len(text.call.sequences) and not text.call.answer.done():
                call = text.call
                tokens = sum(map(len, call.sequences))
                call.answer.set_result(Answer(call.rows, tokens, call.queue_s, call.compute_s))

    def _forward(self, sequences: Sequence[Sequence[int]]) -> Rows:
        rows = self.backend.forward(sequences)
        if rows.shape != (len(sequences), self.backend.dimensions) or not np.isfinite(rows).all():
            # Stored, such a vector would spoil every search that meets it.
            raise ModelError(f"the model gave numbers of shape {rows.shape}, or some that are not finite")
        return rows

    async def _part(self, texts: Sequence[_Text], error: Exception) -> None:
        """Finds whom a failed batch concerns, by halves: one bad text must not fail its neighbours, and what was too
        much memory together may fit apart.
        """
        if len(texts) > 1:
            half = len(texts) // 2
            await self._execute(texts[:half])
            await self._execute([text for text in texts[half:] if not text.call.over()])
            return
        answer = texts[0].call.answer
        if not answer.done():
            told = error if isinstance(error, RapportError) else ModelError(f"the model failed: {error!r}")
            answer.set_exception(told)
