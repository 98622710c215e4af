"""The generation loop: texts take turns on the device, a step each, and stream to their callers.

A request is validated before it is admitted; what fails afterwards fails alone. A caller that goes away, whose time
runs out or that stops reading loses its slot. The loop itself ends only with the process, which health then tells.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator

from rapport.models.ports import Decoder, ModelId
from rapport.ops.errors import (
    DeadlineError,
    InvalidRequest,
    ModelError,
    OverloadedError,
    RapportError,
    UnavailableError,
)
from rapport.ops.parts import Health
from rapport.serving.deadline import deadline
from rapport.serving.device_thread import DeviceThread
from rapport.serving.figures import Figures
from rapport.serving.lanes import Lanes
from rapport.serving.text_engine import TextPiece, TextRequest
from rapport.serving.text_job import TextJob

# No model's tokens are as long on average: more characters than this for each cannot fit, and are not worth counting.
_CHARACTERS_A_TOKEN = 64
# Seconds between looks at readers that are behind, when no other text wants the device.
_LOOK_S = 0.05


class GenerationLoop:
    """A `TextEngine` around one decoder."""

    def __init__(
        self, name: str, decoder: Decoder, device: DeviceThread, *, max_queue: int, default_max_tokens: int
    ) -> None:
        """`max_queue`: texts accepted and not finished; more are refused."""
        self._decoder, self._device = decoder, device
        self._tokenizing = DeviceThread(f"{name}-tokenizer")
        self._max_queue, self._default_max_tokens = max_queue, default_max_tokens
        self._waiting: Lanes[TextJob] = Lanes()
        self._running: list[TextJob] = []
        self._pending = 0
        self._changed = asyncio.Event()
        self._figures = Figures(name)
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
        for job in [*self._running, *(job for lane in self._waiting.turn() for job in lane)]:
            job.fail(UnavailableError("the worker is stopping"))
        self._tokenizing.close()

    def health(self) -> Health:
        if self._loop is None or self._loop.done():
            return Health(live=False, ready=False, detail="the generation loop has ended")
        return Health(detail=str(self.model))

    async def generate(self, request: TextRequest) -> AsyncGenerator[TextPiece, None]:
        """See `TextEngine.generate`."""
        request.check()
        if self._pending >= self._max_queue:
            self._figures.failed("rejected")
            raise OverloadedError(f"{self._pending} texts are waiting already", fix="try again later")
        self._count(+1)
        job: TextJob | None = None
        try:
            job = await self._admit(request)
            async for piece in job.pieces():
                yield piece
            self._figures.answered(job.queue_s, job.input_tokens, job.output_tokens)
            self._figures.first_token(job.first_token_s)
        except (asyncio.CancelledError, GeneratorExit, DeadlineError):
            self._figures.failed("canceled")
            raise
        except ModelError:
            self._figures.failed("backend")
            raise
        finally:
            if job is not None:
                job.leave()
                self._waiting.drop(job, request.priority)
                self._changed.set()
            self._count(-1)

    async def _admit(self, request: TextRequest) -> TextJob:
        arrived = time.monotonic()
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
        decoding = self._decoder.begin(prompt, request.sampling)
        job = TextJob(decoding, len(prompt), min(most, room), request.stop, arrived, deadline())
        self._waiting.put(job, request.priority)
        self._changed.set()
        return job

    def _count(self, change: int) -> None:
        self._pending += change
        self._figures.pending(self._pending)

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            self._fill()
            moving = [job for job in self._running if job.moves()]
            if not moving:
                # Nothing to do, or only readers that are behind: those are looked at again soon.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_S if self._running else None):
                        await self._changed.wait()
            for job in moving:
                await self._step(job)

    def _fill(self) -> None:
        """Finished texts make room for those that wait."""
        self._running = [job for job in self._running if not job.over()]
        for lane in self._waiting.turn():
            while lane and len(self._running) < self._decoder.slots:
                job = lane.popleft()
                if not job.over():
                    self._running.append(job)

    async def _step(self, job: TextJob) -> None:
        if job.over():
            return
        began = time.monotonic()
        try:
            step = await self._device.run(job.decoding.step)
        except Exception as error:  # noqa: BLE001 - one text's failure must never end the loop for others
            told = error if isinstance(error, RapportError) else ModelError(f"the model failed: {error!r}")
            job.fail(told)
            return
        took = time.monotonic() - began
        self._figures.executed(1, took)
        job.took(step, began, took)
