"""What both runtimes do with a batch: decode, leave out what was seen, handle with retries, set aside what fails."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import structlog
from opentelemetry.trace import SpanKind

from rapport.bus.dead_letter import Failure
from rapport.bus.messages import Handler, Message
from rapport.bus.metrics import BatchMetrics
from rapport.bus.records import REPLAY_FOR, Record, Sending, message_of, sending_of
from rapport.bus.window import SeenWindow, identity
from rapport.ops.errors import PermanentError, RetryableError, SizeViolation
from rapport.ops.settings import Settings
from rapport.ops.tracing import span

log = structlog.stdlib.get_logger(__name__)
# Between tries of a batch, in seconds: doubling from the first to the last, each cut by up to a half at random so that
# partitions do not all knock at once. The last is what a restarted worker waits for at worst.
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0
_Pair = tuple[Record, Message]


@dataclass(slots=True)
class Effects:
    """What a batch leads to. It is stored and published before, or together with, the commit of the batch's offsets."""

    sendings: list[Sending] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    taken: list[_Pair] = field(default_factory=list)
    """Messages for the handler."""
    seen: list[tuple[str, int]] = field(default_factory=list)
    """Identity and offset of all that could be read, duplicates too."""

    def remember(self, window: SeenWindow) -> None:
        """The batch is committed: its ids count as seen from now on."""
        for name, offset in self.seen:
            window.add(name, offset)


class Processor:
    """Runs one group's handler over batches, each of one partition."""

    def __init__(
        self,
        group: str,
        handler: Handler,
        settings: Settings,
        attempt: Callable[[], AbstractContextManager[object]] = nullcontext,
        retry_for_s: float | None = None,
        slots: asyncio.Semaphore | None = None,
    ) -> None:
        """`attempt` surrounds each call of the handler; on an exception it takes back what the call left in our state.

        `retry_for_s` stands in for `kafka.retry_for_s`; `slots` bounds the calls of handlers at one time.
        """
        self._group, self._handler, self._settings, self._attempt = group, handler, settings, attempt
        self.retry_for_s = settings.kafka.retry_for_s if retry_for_s is None else retry_for_s
        self._slots = slots or asyncio.Semaphore()
        self.metrics = BatchMetrics(group)
        self.retrying = 0
        """Batches that wait for a next try just now."""

    async def run(self, records: Sequence[Record], window: SeenWindow, alive: Callable[[], None]) -> Effects:
        """The effects of `records`. Whatever the handler raises ends up in them; `alive` is called at every attempt."""
        effects = Effects()
        self._read(records, window, effects)
        if effects.taken:
            await _Batch(self, effects, alive).settle(effects.taken)
        return effects

    async def handle(self, pairs: Sequence[_Pair], alive: Callable[[], None]) -> list[Sending]:
        """One attempt. What it gives cannot fail to be encoded any more."""
        messages = [message for _, message in pairs]
        parents = {message.envelope.traceparent for message in messages}
        parent = parents.pop() if len(parents) == 1 else None
        with self._attempt(), span(f"{self._group} handle", parent, SpanKind.CONSUMER):
            async with self._slots:
                alive()
                with self.metrics.handling(len(messages)):
                    outgoings = await self._handler(messages)
            sendings = [sending_of(outgoing, self._group, self._settings.kafka) for outgoing in outgoings]
            for sending in sendings:
                self._check_size(sending)
            return sendings

    def _read(self, records: Sequence[Record], window: SeenWindow, effects: Effects) -> None:
        in_batch: set[str] = set()
        for record in records:
            meant_for = record.header(REPLAY_FOR)
            if meant_for is not None and meant_for != self._group:
                continue  # a dead letter of another group, which alone failed on it
            try:
                message = message_of(record, self._settings)
            except PermanentError as error:
                effects.failures.append(Failure(record, error, attempts=1))
                continue
            name = identity(record, message)
            effects.seen.append((name, record.offset))
            if window.size and (name in in_batch or window.holds(name, record.offset)):
                self.metrics.duplicate()
                continue
            in_batch.add(name)
            effects.taken.append((record, message))

    def _check_size(self, sending: Sending) -> None:
        size, most = len(sending.value or b""), self._settings.kafka.max_message_bytes
        if size > most:
            raise SizeViolation(f"the handler's output for {sending.topic} has {size} bytes, at most {most} are taken")


class _Batch:
    """The tries of one batch, within one time limit."""

    def __init__(self, processor: Processor, effects: Effects, alive: Callable[[], None]) -> None:
        self._processor, self._effects, self._alive = processor, effects, alive
        self._deadline: float | None = None
        self._attempts = 0

    async def settle(self, pairs: Sequence[_Pair]) -> None:
        """Handles `pairs`, or puts them among the failures."""
        while True:
            try:
                await self._try(pairs)
            except RetryableError as error:
                if not await self._pause(error):
                    await self._give_up(pairs)
                    return
            except Exception as error:  # noqa: BLE001  # whatever a handler raises must not stop the partition
                await self._split(pairs, error)
                return
            else:
                return

    async def _try(self, pairs: Sequence[_Pair]) -> None:
        self._attempts += 1
        self._effects.sendings.extend(await self._processor.handle(pairs, self._alive))

    async def _split(self, pairs: Sequence[_Pair], error: Exception) -> None:
        """Halves, so that one bad message among 256 costs some 16 calls rather than 256."""
        if len(pairs) == 1:
            self._fail(pairs[0], error)
            return
        middle = len(pairs) // 2
        await self.settle(pairs[:middle])
        await self.settle(pairs[middle:])

    async def _pause(self, error: RetryableError) -> bool:
        """Waits for the next try; False when the time for trying is over."""
        now = time.monotonic()
        if self._deadline is None:
            self._deadline = now + self._processor.retry_for_s
        if now >= self._deadline:
            return False
        pause = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(self._attempts - 1, 10))
        self._processor.metrics.retried()
        log.warning("batch will be tried again", attempt=self._attempts, error=str(error), pause_s=round(pause, 2))
        self._processor.retrying += 1
        try:
            await asyncio.sleep(min(random.uniform(pause / 2, pause), self._deadline - now))
        finally:
            self._processor.retrying -= 1
        return True

    async def _give_up(self, pairs: Sequence[_Pair]) -> None:
        """A last try for each message alone, for as long again at most: one of them may be what breaks the peer."""
        until = time.monotonic() + self._processor.retry_for_s
        last: Exception | None = None
        for pair in pairs:
            if last is not None and time.monotonic() > until:
                self._fail(pair, last)
                continue
            try:
                await self._try([pair])
            except Exception as error:  # noqa: BLE001  # as above
                last = error
                self._fail(pair, error)

    def _fail(self, pair: _Pair, error: Exception) -> None:
        record = pair[0]
        log.warning(
            "message set aside", topic=record.topic, partition=record.partition, offset=record.offset, error=repr(error)
        )
        self._effects.failures.append(Failure(record, error, self._attempts))
