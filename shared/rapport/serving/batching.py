"""Calls in, token-budget batches on the device, rows back to each call.

First in, first out within a priority; no artificial delay: while one batch runs, what comes is tokenised and stands
ready. The next batch is chosen in the moment in which the device is free (chosen earlier it would be smaller), and the
rows of the one before are handed out while it runs. Bounded: a full queue refuses. Work that nobody waits for any more
(cancelled, expired) is dropped before it reaches the device.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence, Sized
from dataclasses import dataclass

import numpy as np

from rapport.models.ports import Packing, Role, Rows, SequenceBackend
from rapport.ops.errors import DeadlineError, ModelError, RapportError, UnavailableError
from rapport.ops.parts import Health
from rapport.serving.admission import Admission
from rapport.serving.batch_plan import alike, packed
from rapport.serving.deadline import deadline
from rapport.serving.device_memory import out_of_memory
from rapport.serving.device_thread import DeviceThread
from rapport.serving.encoding_call import Answer, EncodingCall, EncodingText
from rapport.serving.figures import Figures
from rapport.serving.lanes import Lanes
from rapport.serving.result_cache import ResultCache
from rapport.serving.spans import spend
from rapport.serving.tokenizing import Ids, Tokenizing
from rapport.serving.vocabulary import Priority

# A device that cannot hold this many tokens cannot hold the model.
_LEAST_TOKENS = 256
# Batches of interactive texts that are sorted by length together: a fifth more texts a second when 64 callers' lengths
# differ. Bulk takes its turns one by one, so that nobody waits behind more than one of them.
_AHEAD = 4
# Requests that a newer model is warmed with before it takes over.
_RECORDED = 64
_Texts = Sequence[EncodingText]


class Batcher:
    """Runs one backend for many callers."""

    def __init__(
        self,
        name: str,
        backend: SequenceBackend,
        device: DeviceThread,
        *,
        max_queue: int,
        max_batch_tokens: int,
        max_queue_characters: int = 4_000_000,
        cached_rows: int = 0,
    ) -> None:
        """`max_queue`: calls accepted and not answered. `max_batch_tokens`: most padded tokens in one execution."""
        self.backend = backend
        # Asked once: of a protocol it takes a tenth of all that a call spends here.
        self._packs = isinstance(backend, Packing)
        self._device, self._tokenizing = device, Tokenizing(name, backend)
        self._budget = min(max_batch_tokens, backend.batch_tokens)
        self._figures = Figures(name)
        self._admission = Admission(self._figures, max_queue, max_queue_characters)
        self._cache = ResultCache(name, cached_rows)
        self._lanes: Lanes[EncodingCall] = Lanes()
        self._arrived = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self.recorded: deque[tuple[str, Role]] = deque(maxlen=_RECORDED)
        """Texts asked for lately."""

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
                call.fail(UnavailableError("the worker is stopping"))
            lane.clear()
        await self._tokenizing.stop()

    async def drain(self) -> None:
        """Returns once every call that was accepted has its answer."""
        while self._admission.calls:  # noqa: ASYNC110 - seldom, and a call must not pay for telling
            await asyncio.sleep(0.01)

    def health(self) -> Health:
        if self._running is None or self._running.done():
            return Health(live=False, ready=False, detail="the batching loop has ended")
        return Health(detail=str(self.backend.model))

    async def run(self, texts: Sequence[str], role: Role, priority: Priority) -> Answer:
        """The rows of `texts` (not empty). The deadline is that of the call being served.

        Raises `OverloadedError` when the queue is full, `DeadlineError` when the time ran out before the last text
        was computed, `ModelError` when the model failed on these texts.
        """
        cached = self._cache.find(texts, role)
        missing = [at for at, row in enumerate(cached) if row is None]
        if not missing:
            self._figures.answered(0.0, 0)
            return Answer(np.array(cached, dtype=np.float32), 0, 0.0, 0.0)
        wanted = [texts[at] for at in missing]
        answer = await self._admitted(wanted, lambda: self._tokenizing.run(wanted, role), priority)
        self.recorded.append((wanted[0], role))
        self._cache.keep(wanted, role, answer.rows)
        if len(missing) == len(texts):
            return answer
        rows = np.empty((len(texts), self.backend.dimensions), dtype=np.float32)
        rows[missing] = answer.rows
        for at, row in enumerate(cached):
            if row is not None:
                rows[at] = row
        return Answer(rows, answer.tokens, answer.queue_s, answer.compute_s)

    async def run_cut(self, sequences: Ids, priority: Priority) -> Answer:
        """As `run`, for a caller that has cut its texts into the backend's ids already."""

        async def ids() -> Ids:
            return sequences

        return await self._admitted(sequences, ids, priority)

    async def _admitted(self, given: Sequence[Sized], ids: Callable[[], Awaitable[Ids]], priority: Priority) -> Answer:
        permit = self._admission.enter(given)
        arrived = time.monotonic()
        try:
            answer = await self._through(ids, priority)
        except (asyncio.CancelledError, DeadlineError):
            self._figures.failed("canceled")
            raise
        except ModelError:
            self._figures.failed("backend")
            raise
        finally:
            self._admission.leave(permit)
        self._figures.answered(answer.queue_s, answer.tokens)
        spend(
            self.backend.model, arrived, answer.queue_s, answer.compute_s, texts=len(given), input_tokens=answer.tokens
        )
        return answer

    async def _through(self, ids: Callable[[], Awaitable[Ids]], priority: Priority) -> Answer:
        arrived, expires = time.monotonic(), deadline()
        if expires is not None and arrived >= expires:
            raise DeadlineError("the time ran out before the call came in")
        sequences = await ids()
        rows = np.empty((len(sequences), self.backend.dimensions), dtype=np.float32)
        call = EncodingCall(sequences, rows, arrived, expires, asyncio.get_running_loop().create_future())
        self._lanes.put(call, priority)
        self._arrived.set()
        try:
            return await call.answer
        except BaseException:
            # Gone at once, not when its turn comes: callers who give up quickly must not fill the queue.
            self._lanes.drop(call, priority)
            raise

    async def _run(self) -> None:
        done = _NOTHING
        while True:
            self._arrived.clear()
            batch = self._take()
            if not batch:
                done = done.hand_out()
                await self._arrived.wait()
            for part in (packed if self._packs else alike)(batch, self._budget):
                texts = [text for text in part if not text.call.over()]
                if texts:
                    done = await self._execute(texts, done)

    def _take(self) -> list[EncodingText]:
        """The next texts in line, as many as the budget holds, of interactive ones `_AHEAD` times as many; at least one
        if any wait."""
        taken: list[EncodingText] = []
        tokens = 0
        for lane in self._lanes.turn():
            most = self._budget * (_AHEAD if self._lanes.urgent(lane) else 1)
            while lane:
                call = lane[0]
                while not call.over() and call.taken < len(call.sequences):
                    sequence = call.sequences[call.taken]
                    tokens += len(sequence)
                    if taken and tokens > most:
                        return taken
                    taken.append(EncodingText(call, call.taken, sequence))
                    call.taken += 1
                lane.popleft()
        return taken

    async def _execute(self, texts: _Texts, before: _Done) -> _Done:
        """Runs `texts`, hands out the batch before meanwhile, and returns what is to be handed out next."""
        running = asyncio.ensure_future(self._device.run(self._forward, texts))
        # One turn of the loop, so that the device has its work before the callers of the last batch have theirs.
        await asyncio.sleep(0)
        before.hand_out()
        try:
            rows, began, took = await running
        except asyncio.CancelledError:
            for text in texts:
                text.call.fail(UnavailableError("the worker is stopping"))
            raise
        except Exception as error:  # noqa: BLE001 - whatever a model raises must end at the calls it concerns
            return await self._part(texts, error)
        self._figures.executed(len(texts), took)
        return _Done(texts, rows, began, took)

    def _forward(self, texts: _Texts) -> tuple[Rows, float, float]:
        """The rows, when the device began, and how long it took."""
        began = time.monotonic()
        rows = self.backend.forward([text.sequence for text in texts])
        if rows.shape != (len(texts), self.backend.dimensions) or not np.isfinite(rows).all():
            # Stored, such a vector would spoil every search that meets it.
            raise ModelError(f"the model gave numbers of shape {rows.shape}, or some that are not finite")
        return rows, began, time.monotonic() - began

    async def _part(self, texts: _Texts, error: Exception) -> _Done:
        """Finds whom a failed batch concerns, by halves: one bad text must not fail its neighbours, and what was too
        much memory together may fit apart (and later batches are made that much smaller).
        """
        if out_of_memory(error):
            self._budget = max(_LEAST_TOKENS, self._budget // 2)
            self._figures.out_of_memory(self._budget)
        if len(texts) == 1:
            told = error if isinstance(error, RapportError) else ModelError(f"the model failed: {error!r}")
            texts[0].call.fail(told)
            return _NOTHING
        done, half = _NOTHING, len(texts) // 2
        for part in (texts[:half], texts[half:]):
            left = [text for text in part if not text.call.over()]
            if left:
                done = await self._execute(left, done)
        return done


@dataclass(frozen=True, slots=True)
class _Done:
    """A batch that was computed, its rows not handed out yet."""

    texts: _Texts
    rows: Rows
    began: float
    took: float

    def hand_out(self) -> _Done:
        for call in {text.call for text in self.texts}:
            call.ran(self.began, self.took)
        for text, row in zip(self.texts, self.rows, strict=True):
            text.call.put(text.at, row)
        return _NOTHING


_NOTHING = _Done((), np.empty((0, 0), dtype=np.float32), 0.0, 0.0)
