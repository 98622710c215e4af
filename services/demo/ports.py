"""What the handlers need from outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rapport.bus.messages import Outgoing


class Publisher(Protocol):
    """`rapport.bus.producer.EventProducer`, or a list in a test."""

    async def send_many(self, outgoings: Sequence[Outgoing]) -> None:
        """Returns once all are stored. Raises `UnavailableError`: some may have been stored."""
