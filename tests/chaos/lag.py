"""How far the consumer groups are behind, asked from outside."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

GROUP_PREFIX = "rapport-"
Ends = dict[TopicPartition, int]
T = TypeVar("T")
_ANSWER_S, _BROKER_BACK_S = 20.0, 120.0


class Observer:
    """Asks the broker, and nobody else."""

    def __init__(self, bootstrap_servers: str, group_prefix: str = GROUP_PREFIX) -> None:
        self._bootstrap, self._prefix = bootstrap_servers, group_prefix
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap_servers, isolation_level="read_committed", auto_offset_reset="earliest"
        )

    async def __aenter__(self) -> Observer:
        await self._consumer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def committed(self) -> dict[str, Ends]:
        """The next offset of each group and partition, for all partitions of the topics that the group reads."""
        return await _patiently(self._committed)

    async def _committed(self) -> dict[str, Ends]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        await admin.start()
        try:
            groups = [name for name, *_ in await admin.list_consumer_groups() if name.startswith(self._prefix)]
            if not groups:
                raise TimeoutError("a broker that has just come back lists no groups yet")
            found = {group: await admin.list_consumer_group_offsets(group) for group in groups}
            topics = sorted({place.topic for offsets in found.values() for place in offsets})
            partitions = {each["topic"]: len(each["partitions"]) for each in await admin.describe_topics(topics)}
        finally:
            await admin.close()
        every = {topic: [TopicPartition(topic, number) for number in range(partitions[topic])] for topic in topics}
        return {
            group: {
                place: offsets[place].offset if place in offsets else 0
                for topic in {place.topic for place in offsets}
                for place in every[topic]
            }
            for group, offsets in found.items()
        }

    async def ends(self) -> Ends:
        """Where each partition that any group reads ends now. A broker that is away is waited for."""
        return await _patiently(self._ends)

    async def behind(self, upto: Ends | None = None) -> Counter[str]:
        """Records below `upto` (none: the topics' ends) that a group has not committed; only groups that have any."""
        return await _patiently(lambda: self._behind(upto))

    async def caught_up(self, within_s: float, upto: Ends | None = None) -> None:
        """Returns once no group is behind. Fails with those that are."""
        deadline = time.monotonic() + within_s
        while lag := await self.behind(upto):
            assert time.monotonic() < deadline, f"behind after {within_s} s: {dict(lag)}"
            await asyncio.sleep(0.2)

    async def _ends(self) -> Ends:
        places = {place for offsets in (await self._committed()).values() for place in offsets}
        return dict(await self._consumer.end_offsets(places))

    async def _behind(self, upto: Ends | None) -> Counter[str]:
        committed = await self._committed()
        if upto is None:
            upto = dict(await self._consumer.end_offsets({place for each in committed.values() for place in each}))
        lag: Counter[str] = Counter()
        for group, offsets in committed.items():
            for place, offset in offsets.items():
                if offset < upto.get(place, 0):
                    lag[group] += await self._records(place, offset, upto[place])
        return +lag

    async def _records(self, place: TopicPartition, start: int, end: int) -> int:
        """Records in [start, end): markers of transactions are none."""
        self._consumer.assign([place])
        self._consumer.seek(place, start)
        found = 0
        while await self._consumer.position(place) < end:
            batch = await self._consumer.getmany(place, timeout_ms=500)
            found += sum(record.offset < end for record in batch.get(place, ()))
        return found


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    deadline = time.monotonic() + _BROKER_BACK_S
    while True:
        try:
            async with asyncio.timeout(_ANSWER_S):
                return await ask()
        except (KafkaError, OSError, TimeoutError):
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.5)
