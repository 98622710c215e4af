"""What services need of the bus that is faked where they are tested."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rapport.bus.messages import Outgoing


class Publisher(Protocol):
    """Puts events on Kafka: `rapport.bus.producer.EventProducer`, or a list in a test."""

    async def send_many(self, outgoings: Sequence[Outgoing]) -> None:
        """Returns once the broker has stored all. Raises `SizeViolation`, or `UnavailableError`: some may have been
        stored.
        """
