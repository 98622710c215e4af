"""Looks at the end of each owned partition from outside the consumer: a consumer that stands still cannot be trusted to
know that there is something to read."""

from __future__ import annotations

import asyncio
import contextlib
import time

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from rapport.bus.client import reader
from rapport.bus.metrics import LagMetrics
from rapport.bus.progress import Place, Progress
from rapport.ops.settings import KafkaSettings

log = structlog.stdlib.get_logger(__name__)
_LOOK_EVERY_S = 2.0


class Watchdog:
    """Keeps lag figures fresh, and tells whether the consumer stands still."""

    def __init__(self, group: str, progress: Progress, settings: KafkaSettings) -> None:
        self._progress, self._settings = progress, settings
        self._metrics = LagMetrics(group)
        self._reported: set[Place] = set()
        self._task: asyncio.Task[None] | None = None
        self._unsettled_at: float | None = None
        self._answered = False

    def start(self) -> None:
        self._task = asyncio.create_task(self._watch(), name="watchdog")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None

    def settled(self, settled: bool) -> None:
        """Whether the group has given us our partitions (perhaps none). Between rebalances it has."""
        self._unsettled_at = None if settled else (self._unsettled_at or time.monotonic())

    @property
    def is_settled(self) -> bool:
        return self._unsettled_at is None

    def stalled(self) -> str:
        """What stands still for longer than `stall_after_s`, or "".

        A broker that is away is no reason to restart us.
        """
        if not self._answered:
            return ""
        after = self._settings.stall_after_s
        places = self._progress.stalled(after)
        if places:
            return f"no progress for {after:.0f} s in spite of lag: " + ", ".join(f"{t}/{p}" for t, p in places)
        if self._unsettled_at is not None and time.monotonic() - self._unsettled_at > after:
            return f"no partitions assigned for {after:.0f} s"
        return ""

    async def _watch(self) -> None:
        while True:
            consumer = reader(self._settings)
            try:
                await consumer.start()
                while True:
                    await self._look(consumer)
                    await asyncio.sleep(_LOOK_EVERY_S)
            except (KafkaError, OSError, TimeoutError) as error:
                self._answered = False
                log.warning("lag unknown, the broker does not answer", error=repr(error))
            except Exception:
                # Whatever else: a watchdog that is gone would say for ever that all is well.
                self._answered = False
                log.exception("lag unknown after an unexpected error")
            finally:
                with contextlib.suppress(KafkaError):
                    await consumer.stop()
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _look(self, consumer: AIOKafkaConsumer) -> None:
        owned = self._progress.owned()
        ends = await consumer.end_offsets([TopicPartition(*place) for place in owned]) if owned else {}
        self._answered = True
        for place in owned:
            lag = self._progress.look(place, ends[TopicPartition(*place)])
            if lag is not None:
                self._metrics.set(*place, lag)
                self._reported.add(place)
        for place in sorted(self._reported - set(owned)):
            self._metrics.gone(*place)
            self._reported.discard(place)
