"""A platform team's program: aiokafka and the AsyncAPI page. Nothing of Rapport's own code is imported here."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from tests.e2e.page import Json, Page

_POLL_MS = 200


@dataclass(frozen=True, slots=True)
class Read:
    """A message as it was read. `payload` is None for a null, and for what is no JSON (a test sends such things)."""

    key: str
    payload: Json | None
    headers: dict[str, str]
    offset: int


class Publisher:
    """Publishes events by the page."""

    def __init__(self, page: Page, producer: AIOKafkaProducer) -> None:
        self._page, self._producer = page, producer

    async def publish(self, event: str, payload: Json, **headers: str) -> str:
        """Returns the event's id, once the broker has stored it."""
        self._page.check(event, payload)
        written = self._page.headers(event, **headers)
        await self._producer.send_and_wait(
            self._page.address_of(event),
            json.dumps(payload, ensure_ascii=False).encode(),
            key=self._page.key(event, payload),
            headers=[(name, text.encode()) for name, text in written.items()],
        )
        return written["ce_id"]


@asynccontextmanager
async def publisher(page: Page, bootstrap_servers: str) -> AsyncIterator[Publisher]:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap_servers)
    await producer.start()
    try:
        yield Publisher(page, producer)
    finally:
        await producer.stop()


class Subscription:
    """Everything on a topic from its beginning, read as it is asked for."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self.seen: list[Read] = []

    async def until(self, wanted: Callable[[Read], bool], within_s: float) -> Read:
        """The newest message so far that is `wanted`, waited for. Fails with the last keys seen when there is none."""
        deadline = time.monotonic() + within_s
        while True:
            await self._take()
            found = [read for read in self.seen if wanted(read)]
            if found:
                return found[-1]
            assert time.monotonic() < deadline, f"not within {within_s} s; last of {len(self.seen)}: {self.seen[-3:]}"

    async def all(self) -> list[Read]:
        """Everything up to where the topic ends now."""
        ends = await self._consumer.end_offsets(self._consumer.assignment())
        while any([await self._consumer.position(place) < end for place, end in ends.items()]):
            await self._take()
        return self.seen

    async def _take(self) -> None:
        for batch in (await self._consumer.getmany(timeout_ms=_POLL_MS)).values():
            self.seen += map(_read, batch)


@asynccontextmanager
async def subscription(
    page: Page, channel: str, bootstrap_servers: str, *, committed: bool = False
) -> AsyncIterator[Subscription]:
    """`committed`: without what a process that was killed left unfinished."""
    consumer = AIOKafkaConsumer(
        page.address(channel),
        bootstrap_servers=bootstrap_servers,
        auto_offset_reset="earliest",
        isolation_level="read_committed" if committed else "read_uncommitted",
    )
    await consumer.start()
    try:
        yield Subscription(consumer)
    finally:
        await consumer.stop()


async def publish_all(shop: Publisher, events: Sequence[tuple[str, Json]]) -> None:
    """In no particular order."""
    await asyncio.gather(*(shop.publish(event, payload) for event, payload in events))


def _read(record: object) -> Read:
    key, value = getattr(record, "key", None), getattr(record, "value", None)
    headers = {"ce_id": "", "ce_type": ""} | {name: raw.decode() for name, raw in getattr(record, "headers", ())}
    try:
        payload = json.loads(value) if value else None
    except ValueError:
        payload = None
    return Read((key or b"").decode(), payload, headers, getattr(record, "offset", -1))
