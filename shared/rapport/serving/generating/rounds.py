"""Continuous batching: in each round every text under way goes one step, all in one pass of the device.

When a pass breaks off, the decoder is rebuilt and the texts in it go on one by one, reading again what they had, until
each has said its next token: whoever fails alone was the cause and is told; the others never notice but by the time.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import structlog

from rapport.models.text_ports import Decoder, Sampling, Step
from rapport.ops.errors import ModelError, RapportError
from rapport.ops.metrics import counter
from rapport.serving.device_thread import DeviceThread
from rapport.serving.figures import Figures
from rapport.serving.generating.job import TextJob
from rapport.serving.lanes import Lanes
from rapport.serving.vocabulary import Priority

log = structlog.stdlib.get_logger(__name__)

# Passes without a failure after which a pass may hold twice as many texts again: what broke it may have been their
# number (memory).
_CALM = 64


class Rounds:
    """The texts that wait, those under way, and what is known of the device's health."""

    def __init__(self, name: str, decoder: Decoder[Any], device: DeviceThread, figures: Figures) -> None:
        self._name, self._decoder, self._device, self._figures = name, decoder, device, figures
        self.waiting: Lanes[TextJob] = Lanes()
        self.running: list[TextJob] = []
        self.failures = 0
        """Passes that broke off since the last that did not."""
        self._suspects: set[TextJob] = set()
        self._width, self._calm = decoder.slots, 0
        self._since: float | None = None

    @property
    def busy_s(self) -> float:
        """How long the device has been at the present pass."""
        return 0.0 if self._since is None else time.monotonic() - self._since

    def leave(self, job: TextJob, priority: Priority) -> None:
        """Nobody reads `job` any more."""
        job.leave()
        self._decoder.end(job.decoding)
        self.waiting.drop(job, priority)
        self._suspects.discard(job)

    def give_up(self, error: RapportError) -> None:
        """Tells `error` to all that wait or are under way."""
        for job in [*self.running, *(job for lane in self.waiting.turn() for job in lane)]:
            job.fail(error)

    async def turn(self) -> bool:
        """One round; False when there was nothing to do. Raises what a rebuild raises."""
        self._fill()
        moving = [job for job in self.running if job.moves()]
        clear = [job for job in moving if job not in self._suspects]
        for start in range(0, len(clear), self._width):
            await self._step(clear[start : start + self._width])
        for job in moving:
            if job in self._suspects:
                await self._step([job])
        return bool(moving)

    async def probe(self) -> None:
        """Makes one token for nobody, to see whether the device works again. Raises what it raises."""
        await self._device.run(self._decoder.rebuild)
        decoding = self._decoder.begin(self._decoder.prompt([("user", "hello")]), Sampling(), None, "")
        try:
            while not isinstance(step := (await self._device.run(self._decoder.step, [decoding]))[0], Step) or (
                not step.tokens
            ):
                if isinstance(step, RapportError):
                    raise step
        finally:
            self._decoder.end(decoding)
        self.failures = 0

    def _fill(self) -> None:
        """Finished texts make room for those that wait."""
        for job in self.running:
            if job.over():
                self._decoder.end(job.decoding)
        self.running = [job for job in self.running if not job.over()]
        for lane in self.waiting.turn():
            while lane and len(self.running) < self._decoder.slots:
                job = lane.popleft()
                if not job.over():
                    self.running.append(job)

    async def _step(self, jobs: Sequence[TextJob]) -> None:
        jobs = [job for job in jobs if not job.over()]
        if not jobs:
            return
        began = self._since = time.monotonic()
        try:
            steps = await self._device.run(self._decoder.step, [job.decoding for job in jobs])
        except Exception as error:  # noqa: BLE001 - whatever breaks a pass must not end the loop for the others
            await self._recover(jobs, error)
            return
        finally:
            self._since = None
        took = time.monotonic() - began
        self._figures.executed(len(jobs), took)
        self._succeeded()
        for job, step in zip(jobs, steps, strict=True):
            if isinstance(step, RapportError):
                job.fail(step)
                continue
            job.took(step, began, took)
            if step.tokens:
                self._suspects.discard(job)

    def _succeeded(self) -> None:
        self.failures = 0
        self._calm += 1
        if self._calm >= _CALM and self._width < self._decoder.slots:
            self._width, self._calm = min(2 * self._width, self._decoder.slots), 0

    async def _recover(self, jobs: Sequence[TextJob], error: Exception) -> None:
        self.failures += 1
        self._calm = 0
        # The first time with its trace; a device that goes on failing would fill the log with the same.
        trace = error if self.failures == 1 else None
        log.error("a pass broke off", model=self._name, texts=len(jobs), reason=repr(error), exc_info=trace)
        counter("generation_rebuilds", "Passes that broke off and made the decoder begin anew", ("model",)).labels(
            self._name
        ).inc()
        # First of all: a device that cannot even do this is the cause, and no text is.
        await self._device.run(self._decoder.rebuild)
        if len(jobs) == 1:
            told = error if isinstance(error, RapportError) else ModelError(f"the model failed: {error!r}")
            jobs[0].fail(told)
            self._decoder.end(jobs[0].decoding)
        else:
            self._suspects.update(jobs)
            self._width = max(1, len(jobs) // 2)
