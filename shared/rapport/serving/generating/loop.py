"""Our own model as a `TextEngine`: who is let in, and what keeps the rounds going.

A request is validated before it is admitted; what fails afterwards fails alone. A caller that goes away, whose time
runs out or that stops reading loses its slot.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import structlog

from rapport.models.ports import ModelId
from rapport.models.text_ports import Decoder
from rapport.ops.errors import DeadlineError, InvalidRequest, ModelError, OverloadedError, UnavailableError
from rapport.ops.parts import Health
from rapport.serving.deadline import deadline
from rapport.serving.device_thread import DeviceThread
from rapport.serving.figures import Figures
from rapport.serving.generating.engine import TextPiece, TextRequest
from rapport.serving.generating.job import TextJob
from rapport.serving.generating.rounds import Rounds
from rapport.serving.spans import spend

Turns = Sequence[tuple[str, str]]

log = structlog.stdlib.get_logger(__name__)

# No model's tokens are as long on average: more characters than this for each cannot fit, and are not worth counting.
_CHARACTERS_A_TOKEN = 64
# Seconds between looks at readers that are behind, when no other text wants the device; and between trials of a device
# that failed.
_LOOK_S, _TRIAL_S = 0.05, 1.0
# Chats that a newer model is warmed with before it takes over.
_RECORDED = 8
# Failures in a row after which no more requests should come, and after which only a new process can help.
_UNREADY_AFTER, _DEAD_AFTER = 3, 10
# Seconds of one pass (normally a fraction of one) after which the same is true.
_UNREADY_AFTER_S, _DEAD_AFTER_S = 60.0, 300.0


class GenerationLoop:
    """A `TextEngine` around one decoder."""

    def __init__(
        self, name: str, decoder: Decoder[Any], device: DeviceThread, *, max_queue: int, default_max_tokens: int
    ) -> None:
        """`max_queue`: texts accepted and not finished; more are refused."""
        self._decoder, self._max_queue, self._default_max_tokens = decoder, max_queue, default_max_tokens
        self._tokenizing = DeviceThread(f"{name}-tokenizer")
        self._figures = Figures(name)
        self._rounds = Rounds(name, decoder, device, self._figures)
        self._pending = 0
        self._changed = asyncio.Event()
        self.recorded: deque[Turns] = deque(maxlen=_RECORDED)
        """Chats asked for lately."""
        self._loop: asyncio.Task[None] | None = None

    @property
    def model(self) -> ModelId:
        return self._decoder.model

    def start(self) -> None:
        self._loop = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Texts under way end with `UnavailableError`."""
        loop, self._loop = self._loop, None
        if loop is None:
            return
        loop.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await loop
        self._rounds.give_up(UnavailableError("the worker is stopping"))
        self._tokenizing.close()

    async def drain(self) -> None:
        """Returns once every text that was accepted is done, or given up by its reader."""
        while self._pending:  # noqa: ASYNC110 - seldom, and a text must not pay for telling
            await asyncio.sleep(_LOOK_S)

    def health(self) -> Health:
        """Follows the device: not ready while it fails or hangs, not live when it will not come back by itself."""
        if self._loop is None or self._loop.done():
            return Health(live=False, ready=False, detail="the generation loop has ended")
        failures, busy_s = self._rounds.failures, self._rounds.busy_s
        live = failures < _DEAD_AFTER and busy_s < _DEAD_AFTER_S
        if failures >= _UNREADY_AFTER:
            return Health(live=live, ready=False, detail=f"the model failed {failures} times in a row")
        if busy_s >= _UNREADY_AFTER_S:
            return Health(live=live, ready=False, detail=f"the device has been at one pass for {busy_s:.0f} s")
        return Health(detail=str(self.model))

    async def generate(self, request: TextRequest) -> AsyncGenerator[TextPiece, None]:
        """See `TextEngine.generate`."""
        request.check()
        if self._pending >= self._max_queue:
            self._figures.failed("rejected")
            raise OverloadedError(f"{self._pending} texts are waiting already", fix="try again later")
        self._count(+1)
        arrived = time.monotonic()
        job: TextJob | None = None
        try:
            job = await self._admit(request, arrived)
            async for piece in job.pieces():
                yield piece
            self.recorded.append(request.turns)
            self._figures.answered(job.queue_s, job.input_tokens, job.output_tokens)
            self._figures.first_token(job.first_token_s)
            spend(
                self.model,
                arrived,
                job.queue_s,
                job.compute_s,
                input_tokens=job.input_tokens,
                output_tokens=job.output_tokens,
                first_token_s=job.first_token_s,
            )
        except (asyncio.CancelledError, GeneratorExit, DeadlineError):
            self._figures.failed("canceled")
            raise
        except (ModelError, UnavailableError):
            self._figures.failed("backend")
            raise
        finally:
            if job is not None:
                self._rounds.leave(job, request.priority)
                self._changed.set()
            self._count(-1)

    async def _admit(self, request: TextRequest, arrived: float) -> TextJob:
        characters = sum(len(content) for _, content in request.turns)
        if characters > self._decoder.context * _CHARACTERS_A_TOKEN:
            raise InvalidRequest(f"{characters} characters", field="messages", fix="shorten them")
        prompt = await self._tokenizing.run(self._decoder.prompt, request.turns)
        most = request.max_tokens or self._default_max_tokens
        room = self._decoder.context - len(prompt)
        if room < 1 or (request.max_tokens and room < most):
            raise InvalidRequest(
                f"{len(prompt)} tokens of prompt and {most} of answer do not fit into {self._decoder.context}",
                field="sampling.max_tokens" if room > 0 else "messages",
                fix="shorten one of them",
            )
        decoding = await self._tokenizing.run(
            self._decoder.begin, prompt, request.sampling, request.constraint, request.adapter
        )
        if decoding is None:
            # transformers' engine answers so once its thread has ended; a decoder that wraps such a one must not let
            # the caller wait for a text that nobody writes.
            raise UnavailableError("the decoder took no text")
        job = TextJob(decoding, len(prompt), min(most, room), request.stop, arrived, deadline())
        self._rounds.waiting.put(job, request.priority)
        self._changed.set()
        return job

    def _count(self, change: int) -> None:
        self._pending += change
        self._figures.pending(self._pending)

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            try:
                if self._rounds.failures and not self._rounds.running:
                    await self._rounds.probe()
                moved = await self._rounds.turn()
            except Exception as error:  # noqa: BLE001 - the loop must outlive whatever the device raises
                # The device cannot even begin anew. Callers may try again elsewhere, or here when it does.
                self._rounds.failures += 1
                times = self._rounds.failures
                # Its trace was logged when it failed first; this may come every second.
                log.error("the device failed", model=str(self.model), times=times, reason=repr(error))  # noqa: TRY400
                self._rounds.give_up(UnavailableError("the model's device failed"))
                await asyncio.sleep(_TRIAL_S)
                continue
            if not moved:
                # Nothing to do, or only readers that are behind or a device that failed: those are looked at again.
                pause = _LOOK_S if self._rounds.running else _TRIAL_S if self._rounds.failures else None
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._changed.wait()
