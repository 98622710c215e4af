"""What both consumers are to their process: a part that joins a group, works, and joins anew on trouble."""

from __future__ import annotations

import abc
import asyncio
import contextlib
import time
from collections.abc import Sequence
from typing import Protocol

import structlog
from aiokafka.errors import KafkaError

from rapport.bus.progress import Progress
from rapport.bus.topics import ensure_topics
from rapport.bus.watchdog import Watchdog
from rapport.events.topics import Topic, dead_letter_topic
from rapport.ops.errors import RapportError
from rapport.ops.parts import Health
from rapport.ops.settings import Settings

log = structlog.stdlib.get_logger(__name__)
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 5.0
# A membership that lasted this long was well: the next trouble begins with the first pause again.
_WELL_S = 30.0
# A handler may be told "try later" for a moment without this process being taken out of service.
_NOT_READY_AFTER_S = 5.0


class Membership(Protocol):
    """One stay in the group."""

    async def live(self, stopping: asyncio.Event) -> None:
        """Works until `stopping`, or raises. Everything is closed on return."""


class GroupPart(abc.ABC):
    """Base of `HandlerConsumer` and `StatefulConsumer`."""

    def __init__(self, group: str, topics: Sequence[Topic], settings: Settings) -> None:
        self.name = f"consumer:{group}"
        self._group, self._topics, self._settings = group, topics, settings
        self._progress = Progress()
        self._watchdog = Watchdog(group, self._progress, settings.kafka)
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._calm_at = time.monotonic()

    @abc.abstractmethod
    def _join(self) -> Membership:
        """A new membership."""

    @abc.abstractmethod
    def _retrying(self) -> bool:
        """Whether a handler has said "try later" and is waited for."""

    async def start(self) -> None:
        """Makes sure of the topics, then joins the group in the background (see `health`)."""
        await ensure_topics(self._settings.kafka, [*self._topics, dead_letter_topic(self._group)])
        self._stopping.clear()
        self._watchdog.start()
        self._watchdog.settled(False)
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        """Finishes the batches under way within `kafka.drain_s`, commits them and leaves the group."""
        self._stopping.set()
        task, self._task = self._task, None
        if task is not None:
            await asyncio.wait({task})
        await self._watchdog.stop()

    def health(self) -> Health:
        """Ready: partitions are assigned and handlers get through. Live: nothing that has lag stands still."""
        now = time.monotonic()
        if not self._retrying():
            self._calm_at = now
        troubles = (
            self._watchdog.stalled(),
            "" if self._watchdog.is_settled else "joining the group",
            "" if self._progress.complete else "taking over partitions",
            "" if now - self._calm_at < _NOT_READY_AFTER_S else "the handler says: try later",
        )
        detail = next(filter(None, troubles), f"lag {self._progress.lag()}")
        return Health(live=not troubles[0], ready=not any(troubles), detail=detail)

    async def _run(self) -> None:
        """Whatever goes wrong with Kafka, the way back is one: let go of everything, join anew, read on."""
        pause = _FIRST_PAUSE_S
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                await self._join().live(self._stopping)
            except (KafkaError, RapportError, OSError, TimeoutError) as error:
                log.warning("consumer joins anew", group=self._group, error=repr(error))
            except Exception:
                log.exception("consumer joins anew after an unexpected error", group=self._group)
            self._watchdog.settled(False)
            pause = _FIRST_PAUSE_S if time.monotonic() - began > _WELL_S else min(_LONGEST_PAUSE_S, pause * 2)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
