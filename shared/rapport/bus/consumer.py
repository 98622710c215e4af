"""Consuming with aiokafka: for handlers that keep no keyed state of their own on the bus.

Guarantee: at least once for the handler's own effects, exactly once for what it returns (outputs, dead letters and
offset are one transaction). Order is kept per partition, and so per key; partitions run beside each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from aiokafka import TopicPartition

from rapport.bus.aiokafka_membership import AiokafkaMembership
from rapport.bus.client import registered_name, topic_name
from rapport.bus.group import GroupPart, Membership
from rapport.bus.messages import Handler
from rapport.bus.partition import Intake, PartitionWorker
from rapport.bus.processing import Processor
from rapport.bus.transactions import PartitionCommits
from rapport.events.topics import topic_named
from rapport.ops.settings import Settings

# Handlers running at once. They mostly wait for Redis or a worker, which batches calls that come together.
PARALLEL = 8


class HandlerConsumer(GroupPart):
    """Runs `handler` over `topics` (registry names) as the consumer group `group`, as a part.

    `max_batch` bounds what the handler gets at once, where `kafka.max_batch` is too much to do in
    `kafka.stall_after_s`.
    """

    def __init__(
        self,
        group: str,
        topics: Sequence[str],
        handler: Handler,
        settings: Settings,
        *,
        max_batch: int | None = None,
        commit_interval_s: float | None = None,
        reached: Callable[[str, int], Awaitable[int]] | None = None,
    ) -> None:
        """`commit_interval_s` stands in for `kafka.commit_interval_s` where nobody waits for the effects.

        `reached` is for a handler that keeps the offset in a store of its own, beside its effects.

        It is asked, whenever a partition (registry name, number) is taken over, for the first offset that the store
        does not have; reading begins there if that is lower than what the group has committed.
        """
        super().__init__(group, [topic_named(topic) for topic in topics], settings)
        self._reached = reached
        self._processor = Processor(group, handler, settings, slots=asyncio.Semaphore(PARALLEL))
        self._max_batch = max_batch or settings.kafka.max_batch
        self._commit_interval_s = commit_interval_s

    def _retrying(self) -> bool:
        return self._processor.retrying > 0

    def _join(self) -> Membership:
        topics = [topic_name(self._settings.kafka, topic.name) for topic in self._topics]
        return AiokafkaMembership(
            self._group, topics, self._worker, self._watchdog, self._settings.kafka, self._max_batch
        )

    def _worker(self, place: TopicPartition, intake: Intake, commits: PartitionCommits) -> PartitionWorker:
        ask, topic = self._reached, registered_name(self._settings.kafka, place.topic)
        return PartitionWorker(
            place, intake, self._processor, commits, self._progress, self._settings,
            commit_interval_s=self._commit_interval_s, reached=(lambda: ask(topic, place.partition)) if ask else None,
        )  # fmt: skip
