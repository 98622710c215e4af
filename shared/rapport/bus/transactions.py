"""Effects and offset of a batch in one Kafka transaction, safe from a former owner of the partition.

aiokafka sends no group generation with the offsets of a transaction, so the broker cannot tell a member from a zombie
(one that was paused, lost its partitions, and woke up). What it can tell is producers: each partition has a
transactional id of its own, and whoever takes the id over shuts out the one before and ends what it left open. So: take
the id over, then ask where the group stands, then read from there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import MessageSizeTooLargeError

from rapport.bus.client import group_id, writer
from rapport.bus.dead_letter import dead_letter_of, set_aside, without_value
from rapport.bus.outbox import send_all
from rapport.bus.processing import Effects
from rapport.bus.records import Sending
from rapport.ops.settings import KafkaSettings

# The broker gives up a transaction that is silent for this long. Ours hold finished effects only, never a handler.
_TRANSACTION_MS = 60_000
# Below the broker's own limit for a batch of records, 1 MiB.
_BATCH_BYTES = 900_000
Reached = Callable[[], Awaitable[int]]


class PartitionCommits:
    """The commits of one group on one partition."""

    def __init__(
        self,
        group: str,
        place: TopicPartition,
        consumer: AIOKafkaConsumer,
        settings: KafkaSettings,
        *,
        member: bool,
    ) -> None:
        """`consumer` asks for the group's offsets; `member` says whether it is a member of the group itself."""
        self._group, self._place, self._consumer, self._settings = group, place, consumer, settings
        self._group_id = group_id(settings, group)
        self._member = member
        self._producer: AIOKafkaProducer = writer(
            settings,
            transactional_id=f"{self._group_id}/{place.topic}/{place.partition}",
            transaction_timeout_ms=_TRANSACTION_MS,
            # The producer has one request under way: with small batches the states of one batch took a dozen in turn.
            max_batch_size=min(_BATCH_BYTES, settings.max_message_bytes),
        )

    async def take_over(self, reached: Reached | None = None) -> int:
        """Shuts out who had the partition before. The offset at which to begin.

        Raises `KafkaError`, or what `reached` raises, which tells the first offset that the handler's own store lacks.
        """
        await self._producer.start()
        # Beginning waits for the producer id, which the broker gives only after ending what the one before left open.
        async with self._producer.transaction():
            pass
        return await self.start_of(self._place, reached)

    async def start_of(self, place: TopicPartition, reached: Reached | None = None) -> int:
        """Where the group begins to read `place`, which the partition's owner alone reads. As `take_over`, after it."""
        committed = await self._consumer.committed(place)
        earliest = (await self._consumer.beginning_offsets([place]))[place]
        start = int(committed or 0)
        if reached is not None:
            # A store that was lost, or lost its last writes, has less than the group has committed.
            start = min(start, await reached())
        return max(start, int(earliest))

    async def commit(
        self, effects: Effects, offset: int, state: Sequence[Sending] = (), place: TopicPartition | None = None
    ) -> None:
        """Publishes `effects`, stores `state`, and makes `offset` the next to read: all or nothing.

        `place`: of the records, where it is not the partition itself but that of the inbox beside it.

        Raises `KafkaError`: then it is not known which, and the partition has to be taken over anew.
        """
        offsets = {place or self._place: offset}
        letters = [
            set_aside(dead_letter_of(each, self._group), each.record, self._settings) for each in effects.failures
        ]
        if self._member and place in (None, self._place) and not (effects.sendings or letters or state):
            # A member's own commit does carry the generation, and is cheaper.
            await self._consumer.commit(offsets)
            return
        try:
            await self._transact([*state, *effects.sendings, *letters], offsets)
        except MessageSizeTooLargeError:
            # A dead letter too large for even its own topic (all else was measured before). Poison must not stay.
            await self._transact([*state, *effects.sendings, *map(without_value, letters)], offsets)

    async def close(self) -> None:
        await self._producer.stop()

    async def _transact(self, sendings: Sequence[Sending], offsets: dict[TopicPartition, int]) -> None:
        async with self._producer.transaction():
            await send_all(self._producer, sendings)
            await self._producer.send_offsets_to_transaction(offsets, self._group_id)
