"""Publishing events, for whoever is not a stream handler: the gateway, the demo, importers, an API."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from rapport.bus.client import unavailable, writer
from rapport.bus.messages import Outgoing
from rapport.bus.records import Sending, sending_of
from rapport.ops.errors import SizeViolation, UnavailableError
from rapport.ops.metrics import counter
from rapport.ops.parts import Health
from rapport.ops.settings import KafkaSettings

# Records between `send` and the broker's answer. More wait their turn, which holds the caller back.
_MOST_UNDER_WAY = 10_000
# Without a broker a caller learns so after this many seconds, instead of waiting for ever.
_ANSWER_WITHIN_S = 15.0
_TROUBLED_FOR_S = 5.0


class EventProducer:
    """Publishes events in CloudEvents binary mode, as a part. `source` names the publisher ("gateway")."""

    def __init__(self, source: str, settings: KafkaSettings) -> None:
        self.name = "producer"
        self._source, self._settings = source, settings
        self._slots = asyncio.Semaphore(_MOST_UNDER_WAY)
        self._producer: AIOKafkaProducer | None = None
        self._trouble, self._troubled_at = "", 0.0
        self._sent = counter("published_messages", "Messages published", ("topic",))

    async def start(self) -> None:
        """Raises `UnavailableError` when no broker answers."""
        # An idempotent producer of aiokafka never recovers from a record that it gave up: the sequence has a gap then,
        # and the broker refuses all that follow. Without, a retry may arrive twice, under the same event id.
        answer_ms = int(_ANSWER_WITHIN_S * 1000)
        producer = writer(self._settings, enable_idempotence=False, acks="all", request_timeout_ms=answer_ms)
        try:
            with unavailable(self._settings):
                await producer.start()
        except UnavailableError:
            await producer.stop()
            raise
        self._producer = producer

    async def stop(self) -> None:
        """Sends what waits, then closes."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    def health(self) -> Health:
        # Not for ever: who is not ready is asked for nothing, and would never send the event that proves it well again.
        troubled = time.monotonic() - self._troubled_at < _TROUBLED_FOR_S and bool(self._trouble)
        return Health(ready=self._producer is not None and not troubled, detail=self._trouble if troubled else "")

    async def send(self, outgoing: Outgoing) -> None:
        """Returns once the broker has stored it.

        Raises `SizeViolation`, or `UnavailableError`: it may have been stored.
        """
        await self.send_many([outgoing])

    async def send_many(self, outgoings: Sequence[Outgoing]) -> None:
        """Returns once the broker has stored all of them; order is kept per key. Errors as `send`."""
        await self.send_records([sending_of(outgoing, self._source, self._settings) for outgoing in outgoings])

    async def send_records(self, sendings: Sequence[Sending]) -> None:
        """As `send_many`, for records that are ready as they are."""
        if self._producer is None:
            raise UnavailableError("the producer is not running", field="kafka")
        if sendings:
            # One timeout for all, since the broker answers them together.
            try:
                async with asyncio.timeout(_ANSWER_WITHIN_S + len(sendings) / 1000):
                    await self._deliver(self._producer, sendings)
            except MessageSizeTooLargeError as error:
                raise SizeViolation(str(error), field="value") from error
            except (KafkaError, TimeoutError) as error:
                self._trouble, self._troubled_at = repr(error), time.monotonic()
                raise UnavailableError(f"Kafka did not take the event: {error!r}", field="kafka") from error
            self._trouble = ""

    async def _deliver(self, producer: AIOKafkaProducer, sendings: Sequence[Sending]) -> None:
        waiting = []
        for sending in sendings:
            await self._slots.acquire()
            try:
                stored = await hand_over(producer, sending)
            except BaseException:
                self._slots.release()
                raise
            stored.add_done_callback(lambda _: self._slots.release())
            waiting.append(stored)
            self._sent.labels(sending.topic).inc()
        await asyncio.gather(*waiting)


async def hand_over(producer: AIOKafkaProducer, sending: Sending) -> asyncio.Future[object]:
    """Gives the record to `producer`; the future ends when the broker has stored it."""
    stored: asyncio.Future[object] = await producer.send(
        sending.topic,
        value=sending.value,
        key=sending.key,
        partition=sending.partition,
        timestamp_ms=sending.timestamp_ms,
        headers=list(sending.headers),
    )
    return stored
