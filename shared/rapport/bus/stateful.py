"""Consuming with state per key, restored from a changelog topic after a crash or a move.

State, outputs, dead letters and offset of a batch are one transaction, so each event has its effect once: after a crash
state and offset stand where the last committed batch left them. Each entry carries the offset that it includes besides
(`KeyedState.includes`), for state that is also kept elsewhere.

`kafka.stateful_runtime` says who joins the group and reads: aiokafka, or Faust. Faust's tables are not used: they are
written outside of any transaction, so that a crash between state and outputs lost outputs (32 of 3,000 in a trial with
two kills).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from aiokafka import TopicPartition

from rapport.bus.aiokafka_membership import AiokafkaMembership
from rapport.bus.client import topic_name
from rapport.bus.consumer import PARALLEL
from rapport.bus.faust_membership import FaustMembership
from rapport.bus.group import GroupPart, Membership
from rapport.bus.inbox import InboxIntake
from rapport.bus.keyed_state import PartitionState
from rapport.bus.messages import Handler, KeyedState
from rapport.bus.partition import Intake, PartitionWorker
from rapport.bus.processing import Processor
from rapport.bus.transactions import PartitionCommits
from rapport.events.topics import Topic, topic_named
from rapport.ops.settings import Settings


class StatefulConsumer(GroupPart):
    """Runs a handler with `KeyedState` over one topic (registry name) as the consumer group `group`, as a part.

    `make_handler` is called for each partition that comes to this process, with that partition's state: keep no other
    state per key in the handler. `max_batch` and `commit_interval_s` as for `HandlerConsumer`.
    """

    def __init__(
        self,
        group: str,
        topic: str,
        make_handler: Callable[[KeyedState], Handler],
        settings: Settings,
        *,
        max_batch: int | None = None,
        commit_interval_s: float | None = None,
        inbox: str | None = None,
    ) -> None:
        """`inbox` (registry name): a topic that the group writes to itself, to have something done to a key of another
        partition. Read by whoever owns the same partition of `topic`, with the same exactness; a batch holds messages
        of one of the two only.
        """
        topics = [topic_named(topic), state_topic(group), *([topic_named(inbox)] if inbox else ())]
        super().__init__(group, topics, settings)
        self._inbox = inbox
        self._make_handler = make_handler
        self._max_batch = max_batch or settings.kafka.max_batch
        self._commit_interval_s = commit_interval_s
        self._slots = asyncio.Semaphore(PARALLEL)
        # By partition; what belongs to a partition that has gone is empty, and replaced when it comes back.
        self._processors: dict[int, Processor] = {}
        self._states: dict[int, PartitionState] = {}

    def items(self) -> Iterator[tuple[str, bytes]]:
        """Key and value of all that this process remembers, as last committed. What comes meanwhile may be missed."""
        for state in list(self._states.values()):
            yield from state.items()

    def _retrying(self) -> bool:
        return any(processor.retrying for processor in self._processors.values())

    def _join(self) -> Membership:
        kafka = self._settings.kafka
        source = topic_name(kafka, self._topics[0].name)
        if kafka.stateful_runtime == "faust":
            return FaustMembership(self._group, source, self._worker, self._watchdog, kafka, self._max_batch)
        return AiokafkaMembership(self._group, [source], self._worker, self._watchdog, kafka, self._max_batch)

    def _worker(self, place: TopicPartition, intake: Intake, commits: PartitionCommits) -> PartitionWorker:
        kafka = self._settings.kafka
        changelog = topic_name(kafka, state_topic(self._group).name)
        state = PartitionState(changelog, place.partition, kafka, self._inbox)
        processor = Processor(self._group, self._make_handler(state), self._settings, state.attempt, slots=self._slots)
        self._processors[place.partition], self._states[place.partition] = processor, state
        inbox = None
        if self._inbox:
            beside = TopicPartition(topic_name(kafka, self._inbox), place.partition)
            inbox = InboxIntake(beside, self._max_batch, kafka)
        return PartitionWorker(
            place, intake, processor, commits, self._progress, self._settings,
            commit_interval_s=self._commit_interval_s, state=state, inbox=inbox,
        )  # fmt: skip


def state_topic(group: str) -> Topic:
    """The changelog of the group's state: as many partitions as the source, compacted."""
    return Topic(
        f"{group}.state.v1", "as source", (), (group,), (group,), f"What {group} remembers per key.", "compact"
    )
